"""What a training run is: one dataclass, YAML recipes on top of it, `key=value` on top of both."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecgan_core.face.holes import hole_kind
from ecgan_core.words import shown

from .recipe_tree import ConfigError, build, differing, plain, read_tree, with_overrides

# What a run can be asked for; beyond these ends it breaks later, and with less to say.
LARGEST_SIDE = 2048
MOST_CHANNELS = 8192
RANGES = {
    "images": (1, 10**12), "batch": (1, 10**5), "seed": (0, 2**62), "learning_rate": (1e-12, 1e30),
    "discriminator_learning_rate": (1e-12, 1e30), "betas": (0, 0.99999), "decay_share": (0, 1), "clip": (1e-9, 1e9),
    "ema_decay": (0, 1), "warmup_images": (0, 10**12), "resample": (0, 1), "prior_hole_weight": (0, 1e6),
    "moved_weight": (0, 1e6), "mi_enough": (0, 1), "mi_unknown": (0, 1e6), "mixed": (0, 1),
    "adversarial_ramp": (0, 1), "grain": (0, 1), "detail": (0, LARGEST_SIDE), "beyond": (0, 10),
    "detail_gain": (0, 4), "louder": (1, 10),
}  # fmt: skip


def _must_be_frequencies(holes: dict[str, float], where: str) -> None:
    """Raise ValueError unless these are kinds of holes and how often each is drawn."""
    for kind in holes:
        hole_kind(kind)
    if min(holes.values(), default=0) < 0 or sum(holes.values()) <= 0:
        raise ConfigError(f"{where}: no frequency may be below 0 and one must be above, but they are {holes}")


@dataclass(frozen=True)
class LossWeights:
    """λ of each term. Where the paper gives no figure the source is a measured run, named in docs/experiments.md."""

    kl: float = 0.05  # 1 collapsed the posterior
    adversarial: float = 0.1  # .35 sharpened faces and broke up their mouths
    emotion: float = 1.0
    mutual_information: float = 0.1  # needed (accuracy .98 → .27 without it), and patterns grow above .15
    appearance: float = 10.0
    chroma: float = 20.0  # φ and Q see luminance only, so colour needs a term of its own
    palette: float = 0.0  # where there is no truth, and the colour of teeth is nobody's business
    shades: float = 0.0  # how much of a hole is dark, of which nobody else says anything where there is no truth
    perceptual: float = 4.0
    imagenet: float = 0.0  # the perceptual loss once more, in features of a network that was taught on photographs
    projected: float = 0.0  # a second adversarial loss, of the discriminator that looks through that network
    mirrored: float = 0.0  # of the likeliest faces, which are to be the teacher's, see `learning.judges.teacher`
    sharpness: float = 0.0  # of grown levels alone, see `detail`
    diversity: float = 0.0  # late and light: samples that must differ from the start come out crooked


@dataclass(frozen=True)
class Source:
    """Faces of one place: a folder, WebDataset archives, or a data set of the Hugging Face Hub (see `sources`)."""

    # Relative to the data folder given on the command line: a folder of `EMOTION/…` subfolders or with an `index.csv`
    # (file, emotion, identity, use), or a .tar or a pattern of them (`shards/*.tar`). Or hub:OWNER/NAME@REVISION.
    path: str
    crop: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)  # x0, y0, x1, y1 of the model's frame, as shares
    use: str = "train"  # rows of index.csv whose `use` is this; the split of a data set of the Hub
    weight: float = 1.0  # how often a batch draws from this source, relative to the others
    held_out: float = 0.15  # share of identities kept for evaluation, never trained on
    # Whether each person holds still, so that two pictures of one differ by the emotion alone (the portrait studio's
    # `still: true`). Such a pair teaches what a face with another emotion looks like; and pictures that are labelled
    # with two emotions, as in `happy+surprised`, what a face halfway between them does (see `mixtures`).
    paired: bool = False
    # How often its faces meet each kind of hole, in the place of the recipe's `holes`: those beside which one sees what
    # is to be learnt from it, such as the mouth's of men with beards.
    holes: dict[str, float] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # its names or numbers of emotions → ours; "" leaves out
    columns: dict[str, str] = field(
        default_factory=dict
    )  # of an archive or Hub set: picture, emotion, identity → column

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.crop
        if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
            raise ConfigError(
                f"data: the crop of {shown(self.path)} must be x0, y0, x1, y1 with 0 ≤ x0 < x1 ≤ 1, likewise y"
            )
        if self.weight < 0:
            raise ConfigError(f"data: the weight of {shown(self.path)} must not be negative, but is {self.weight}")
        if not 0 <= self.held_out <= 1:
            raise ConfigError(f"data: held_out of {shown(self.path)} is a share, 0 to 1, but is {self.held_out}")
        if self.holes:
            _must_be_frequencies(self.holes, f"data: the holes of {shown(self.path)}")
        if wrong := sorted(self.columns.keys() - {"picture", "emotion", "identity"}):
            raise ConfigError(
                f"data: columns of {shown(self.path)} are picture, emotion and identity, but not {shown(wrong[0])}"
            )
        object.__setattr__(self, "labels", {str(label): name for label, name in self.labels.items()})  # YAML: {0: …}


@dataclass(frozen=True)
class Networks:
    """Sizes of E, G, D and Q; see their classes."""

    image_size: int = 64
    widths: tuple[int, ...] = (32, 64, 128, 192)
    latent_channels: int = 64
    discriminator_widths: tuple[int, ...] = (48, 96, 192)
    emotion_widths: tuple[int, ...] = (24, 48, 96, 128)
    emotion_cells: int = 4
    shared_trunk: bool = False
    feature_widths: tuple[int, ...] = (24, 48, 96, 128)  # φ, the perceptual feature network
    upsampling: str = "nearest"  # of G: or "bilinear", which photographs want (see `UpBlock`)
    grown: int = 0  # of E and G: how many of the finest levels are grown onto a trained model, see `DetailBlock`
    deeper: int = 0  # of E and G: residual blocks more on the coarsest grid; a trained model can be given some
    noise_rank: int = 128  # faces whose deviations from their prior shape the noise of samples (see Encoder.noise)

    def __post_init__(self) -> None:
        if not 0 <= self.grown < max(1, len(self.widths) - 1):
            raise ConfigError(f"networks.grown: must leave two of the {len(self.widths)} widths, but is {self.grown}")
        if self.upsampling not in ("nearest", "bilinear"):
            raise ConfigError(f"networks.upsampling: {shown(self.upsampling)} is neither nearest nor bilinear")
        for key, high in {"image_size": LARGEST_SIDE, "latent_channels": MOST_CHANNELS, "emotion_cells": 64}.items():
            if not 1 <= getattr(self, key) <= high:
                raise ConfigError(f"networks.{key}: must be from 1 to {high}, but is {shown(getattr(self, key))}")
        if not 0 <= self.deeper <= 64:
            raise ConfigError(f"networks.deeper: must be from 0 to 64, but is {shown(self.deeper)}")
        if self.noise_rank == 1 or not 0 <= self.noise_rank <= MOST_CHANNELS:
            raise ConfigError(
                f"networks.noise_rank: must be 0, or from 2 to {MOST_CHANNELS}, but is {shown(self.noise_rank)}"
            )
        for key in ("widths", "discriminator_widths", "emotion_widths", "feature_widths"):
            widths = getattr(self, key)
            if not widths or not all(1 <= width <= MOST_CHANNELS for width in widths):
                raise ConfigError(
                    f"networks.{key}: must be channels, 1 to {MOST_CHANNELS} each, but is {shown(widths)}"
                )


@dataclass(frozen=True)
class LaterWeights:
    """Loss weights that change when the clock reaches `images`; those not named stay as they were."""

    images: int
    weights: dict[str, float]


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run. The clock counts images; `metrics.jsonl` and the grids are named by it."""

    emotions: tuple[str, ...] = ("neutral", "happy", "sad", "angry", "surprised", "disgusted", "fearful")
    neutral: str = "neutral"
    data: tuple[Source, ...] = ()
    networks: Networks = field(default_factory=Networks)
    weights: LossWeights = field(default_factory=LossWeights)
    later: tuple[LaterWeights, ...] = ()
    holes: dict[str, float] = field(
        default_factory=lambda: {
            "whole face": 0.35, "lower face": 0.25, "mouth": 0.12, "eyes": 0.1, "upper face": 0.03,
            "strokes": 0.1, "box": 0.05,
        }
    )  # fmt: skip

    images: int = 60_000  # the length of the run
    batch: int = 16
    seed: int = 0
    learning_rate: float = 1e-3  # of E and G
    discriminator_learning_rate: float = 6e-4
    betas: tuple[float, float] = (0.5, 0.99)
    decay_share: float = 0.4  # the last part of the run over which both rates fall linearly to zero
    clip: float = 20.0  # gradient norm of E and G
    ema_decay: float = 0.995

    emotion_loss: str = "cross_entropy"  # or "l1", the paper's
    perceptual_loss: str = "normalised"  # features of length 1, squared, as LPIPS compares them; or "l1", the paper's
    code: str = "label"  # what is fed as c: the label, or "inferred": Q's reading of the ground truth, as in the paper
    warmup_images: int = 30_000  # for Q and φ, before E, G and D start; the MI loss needs a Q that can read
    resample: float = 0.15  # share of items asked for another emotion than their own on the generative path
    mixed: float = 0.5  # share of those that are asked for a mixture, where the person's picture with it is there
    # Emotions that photographs wear often: of faces that have no picture with another, half of those that are asked for
    # another look are asked for one of these, and the projected discriminator judges what is drawn though no truth is
    # known. Two of them at least.
    photographed: tuple[str, ...] = ()
    # How far beyond its full strength an emotion is asked for, at most, of half of the faces that wear it: a slider
    # goes on where training ends. Were others asked too, what they are asked at full strength would come out weaker.
    beyond: float = 0.0
    # How strongly the teacher (`weights.mirrored`) is asked for what there is no truth for: what a model draws of an
    # emotion that it was never shown on such a face is less than it should be.
    louder: float = 1.0
    prior_hole_weight: float = 1.0  # L_app inside the hole on the generative path (PIC-Net: 0)
    moved_weight: float = 0.0  # how much more it counts there where the wanted expression moves the face
    mi_enough: float = 0.9
    second_opinion: bool = True  # the mutual information loss asks φ every other step; false: always Q, as in the paper
    mi_unknown: float = 1.0  # how much L_MI counts for faces that have no truth for what they are asked for
    adversarial_ramp: float = 0.25  # share of the run over which the adversarial weight grows from a tenth to its full
    augment: bool = True
    light: bool = False  # other light on the faces, see `data.light`: for pictures as artists bring them
    grain: float = 0.0  # the most noise on what E sees of a face, 0..1; what is to be drawn has none
    mirror: bool = True  # half of the faces; false for expressions with a side, such as a wink: both at once is neither

    # 0: everything is trained. Else only the grown levels are, on crops of this side, the rest frozen: see `detail`.
    detail: int = 0
    # In the model that `export` writes, how much the brightness of what those levels add counts: they learn the mean of
    # the lines that may be there, which is softer than any of them. Colours stay, or teeth would get lilac rims.
    detail_gain: float = 1.0

    start_from: str = ""  # a finished checkpoint whose E and G this run goes on with; its emotions may be others

    mixed_precision: str = "auto"  # bf16 where the device computes in it, else "no"; or "no", "bf16", "fp16"
    compile: bool = False  # torch.compile E's and G's blocks; docs/experiments.md says where it pays
    log_every: int = 1_000
    grid_every: int = 5_000
    save_every: int = 5_000
    keep_states: int = 2  # saved states that are kept: the newest may turn out to be damaged

    def __post_init__(self) -> None:
        if self.neutral not in self.emotions:
            raise ConfigError(f"neutral: {shown(self.neutral)} is not one of the emotions {shown(list(self.emotions))}")
        if len(set(self.emotions)) < max(2, len(self.emotions)):
            raise ConfigError(
                f"emotions: at least two different names are needed, but they are {shown(list(self.emotions))}"
            )
        for key, allowed in {
            "emotion_loss": ("cross_entropy", "l1"),
            "perceptual_loss": ("normalised", "l1"),
            "code": ("label", "inferred"),
            "mixed_precision": ("auto", "no", "bf16", "fp16"),
        }.items():
            if getattr(self, key) not in allowed:
                raise ConfigError(f"{key}: {shown(getattr(self, key))} is none of {', '.join(allowed)}")
        if not all(name.strip() and name.isprintable() for name in self.emotions):
            raise ConfigError(f"emotions: a name must be letters that can be seen, but they are {shown(self.emotions)}")
        for key in ("images", "batch", "log_every", "grid_every", "save_every", "keep_states"):
            if getattr(self, key) < 1:
                raise ConfigError(f"{key}: must be at least 1, but is {shown(getattr(self, key))}")
        for key, (low, high) in RANGES.items():
            values = getattr(self, key)
            if not all(low <= value <= high for value in (values if isinstance(values, tuple) else (values,))):
                raise ConfigError(f"{key}: must be from {low:g} to {high:g}, but is {shown(values)}")
        if self.data and not any(source.weight for source in self.data):
            raise ConfigError("data: every source has the weight 0, so that nothing is drawn from any; give one more")
        if self.detail and not self.networks.grown:
            raise ConfigError("detail: only grown levels have any; give networks.grown, or leave detail at 0")
        if self.detail_gain != 1 and not self.detail:
            raise ConfigError("detail_gain: only a run of detail has any to count; give detail, or leave it at 1")
        if self.detail % 2**self.networks.grown or self.detail > self.networks.image_size:
            raise ConfigError(
                f"detail: must be a multiple of {2**self.networks.grown}, at most the image_size of "
                f"{self.networks.image_size}, but is {shown(self.detail)}"
            )
        if self.uses("sharpness") and not self.detail:
            raise ConfigError("weights.sharpness: only grown levels are trained with it; give detail, or leave it at 0")
        if self.uses("mirrored") and self.detail:
            raise ConfigError("weights.mirrored: it teaches whole faces; leave it or detail at 0")
        if self.uses("mirrored") and not self.mirror:
            raise ConfigError("weights.mirrored: of an expression with a side it would teach both; leave it at 0")
        if self.louder != 1 and not self.uses("mirrored"):
            raise ConfigError("louder: only a teacher is asked so; give weights.mirrored, or leave it at 1")
        _must_be_frequencies(self.holes, "holes")
        known = {f.name for f in dataclasses.fields(LossWeights)}
        if len(set(self.photographed)) == 1 or set(self.photographed) - set(self.emotions):
            raise ConfigError(
                f"photographed: two or more of the emotions {shown(list(self.emotions))}, or none, but they are "
                f"{shown(list(self.photographed))}"
            )
        for change in self.later:
            if unknown := sorted(change.weights.keys() - known):
                raise ConfigError(f"later: there is no loss {shown(unknown[0])}; known are {', '.join(sorted(known))}")

    def weights_at(self, images: int) -> LossWeights:
        """The loss weights in force when the clock is at `images`."""
        changes = sorted((change for change in self.later if change.images <= images), key=lambda c: c.images)
        return dataclasses.replace(self.weights, **{k: v for change in changes for k, v in change.weights.items()})

    def uses(self, loss: str) -> bool:
        """Whether a loss has a weight at any time."""
        return getattr(self.weights, loss) > 0 or any(change.weights.get(loss, 0) > 0 for change in self.later)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dicts and numbers, as YAML and JSON write them."""
        return plain(dataclasses.asdict(self))


def load_config(path: str | Path, overrides: list[str] | None = None) -> TrainConfig:
    """A recipe file with `key=value` overrides (nested keys with dots: `networks.image_size=128`).

    Raises:
        ConfigError: the file is missing or no YAML, a key is unknown or there twice, a value has the wrong type or
            range.
    """
    return from_dict(with_overrides(read_tree(path), overrides or []))


def from_dict(tree: Any) -> TrainConfig:
    """A `TrainConfig` from what `to_dict` or a recipe says."""
    return build(TrainConfig, tree)


def differences(before: TrainConfig, now: TrainConfig) -> dict[str, tuple[Any, Any]]:
    """What two configs say differently: dotted key → (before, now), see `differing`."""
    return dict(differing(before.to_dict(), now.to_dict()))
