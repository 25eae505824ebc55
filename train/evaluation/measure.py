"""The figures of one kind of hole: every sampled (picture, wanted emotion) pair is completed and compared.

Accuracy alone is worth nothing (a feasibility run had .999 with ugly faces). So it stands beside the *ceiling*: the
same judge on the same picture with the real hole of the same person's target emotion pasted in; and each other figure
stands beside what real pictures have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ecgan_core.face.holes import REGIONS, hole_kind, region
from ecgan_core.networks.generator import composite
from ecgan_core.pipeline import ECGANPipeline

from ..config import TrainConfig
from ..data.faces import FaceSet, to_float
from ..runs.grid import fixed_faces
from . import metrics
from .identity import Baselines, IdentityNetwork, baselines
from .judge import Judge, look_at

HOLES = ("whole face", "lower face", "eyes", "mouth", "strokes")
HOLE_SEED = 11  # of holes that are drawn at random
DIVERSITY_FACES, DIVERSITY_SEEDS = 24, 4
REFERENCE_FACES = 1_000  # real training pictures that the Fréchet distance is measured to
COMPLETED_AT_ONCE = 64


@dataclass(frozen=True)
class Instruments:
    """What measures: networks that were taught on real pictures of the training split."""

    judge: Judge
    reference: Tensor  # judge features [N,C] of real training pictures
    identity: IdentityNetwork | None = None


@dataclass(frozen=True)
class Subjects:
    """Real faces to be completed, and what the instruments say of them: looked at once, compared with often."""

    faces: FaceSet
    features: Tensor  # the judge's, [N,C,4,4]
    people: Tensor | None  # embeddings [N,64]
    baselines: Baselines | None  # of these embeddings

    @classmethod
    def of(cls, faces: FaceSet, instruments: Instruments) -> Subjects:
        people = look_at(faces.faces, instruments.identity) if instruments.identity is not None else None
        likeness = baselines(people, faces) if people is not None else None
        return cls(faces, look_at(faces.faces, instruments.judge.features), people, likeness)


@dataclass
class HoleResult:
    """Figures for one kind of hole. Shares are of the sampled (picture, wanted emotion) pairs; None: not measurable."""

    hole: str
    pairs: int
    accuracy: float
    ceiling: float
    share_of_ceiling: float
    psnr: float  # dB, in the hole, own emotion, peak 255; mean over pictures
    ssim: float  # in the hole, own emotion
    l1: float  # in the hole, own emotion, 0..255
    outside_equal: bool  # every pixel outside every hole is the input's
    identity: float | None  # mean cosine to the input, by the identity network
    identity_ceiling: float | None  # likewise, with the real hole of the same person's wanted emotion
    same_person: float | None  # share whose cosine passes the threshold in `Baselines`
    diversity: float  # mean pairwise difference of four seeds in the hole, 0..255
    frechet: float  # on judge features, to real training pictures
    closer: Closeness | None
    accuracy_per_emotion: dict[str, float]
    ceiling_per_emotion: dict[str, float]


@dataclass
class Closeness:
    """Edits (wanted emotion ≠ the input's) that are nearer to the truth than to the input, in the hole."""

    edits: int
    pixels: float  # share, by L1; means little unless the person holds still from one picture to the next
    features: float  # share, by the distance of judge features
    l1_to_truth: float  # 0..255
    l1_to_input: float


@dataclass(frozen=True)
class Part:
    """Some pairs of one wanted emotion, completed: faces [B,3,S,S] in −1..1 and what belongs to them."""

    where: Tensor  # [B], places in the list of pairs
    source: Tensor  # [B], indices of the faces
    wanted: Tensor  # [B], indices of the truths
    emotion: int
    face: Tensor
    truth: Tensor
    hole: Tensor
    completed: Tensor


def pairs_of(faces: FaceSet) -> tuple[Tensor, Tensor]:
    """(input, truth) index pairs: every picture with every emotion in which the same person was also pictured."""
    of_person: dict[str, list[int]] = {}
    for i, name in enumerate(faces.identity):
        of_person.setdefault(name, []).append(i)
    pairs = [(i, j) for members in of_person.values() for i in members for j in members]
    source, truth = torch.tensor(pairs).unbind(1)
    return source, truth


def sample_pairs(faces: FaceSet, per_emotion: int) -> tuple[Tensor, Tensor]:
    """The first `per_emotion` pairs of each wanted emotion in a fixed shuffle of `pairs_of`; 0 takes all."""
    source, truth = pairs_of(faces)
    order = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))
    source, truth = source[order], truth[order]
    if per_emotion > 0:
        wanted = faces.emotion[truth]
        kept = torch.cat([(wanted == e).nonzero()[:per_emotion, 0] for e in wanted.unique()]).sort().values
        source, truth = source[kept], truth[kept]
    return source, truth


def holes_for(kind: str, count: int, size: int) -> Tensor:
    """The holes [count,1,S,S] that figures are measured with: plain boxes, and strokes always the same."""
    if kind in REGIONS:
        return region(kind, 1, size, torch.Generator(), jitter=0).expand(count, -1, -1, -1)
    return hole_kind(kind)(count, size, torch.Generator().manual_seed(HOLE_SEED))


def completed_parts(
    pipeline: ECGANPipeline,
    faces: FaceSet,
    config: TrainConfig,
    kind: str,
    pairs: tuple[Tensor, Tensor],
    variation: float,
) -> Iterator[Part]:
    """Complete the input of each pair with the emotion of its truth; the input's index is the seed."""
    source, truth = pairs
    wanted = faces.emotion[truth]
    holes = holes_for(kind, len(faces), config.networks.image_size)
    for emotion, name in enumerate(config.emotions):
        for where in (wanted == emotion).nonzero()[:, 0].split(COMPLETED_AT_ONCE):
            i, j = source[where], truth[where]
            face, hole = to_float(faces.faces[i]), holes[i]
            latent = pipeline.complete(face, hole, emotion=name, seeds=i.tolist(), variation=variation)
            completed = pipeline.decode(latent).cpu()
            yield Part(where, i, j, emotion, face, to_float(faces.faces[j]), hole, completed)


@torch.no_grad()
def observe(
    pipeline: ECGANPipeline,
    instruments: Instruments,
    subjects: Subjects,
    config: TrainConfig,
    kind: str,
    pairs: tuple[Tensor, Tensor],
    variation: float = 1.0,
) -> dict[str, Tensor]:
    """Complete all pairs and look: values by name, one a pair, in the order of `pairs`."""
    seen: dict[str, list[Tensor]] = {}
    where = []
    for part in completed_parts(pipeline, subjects.faces, config, kind, pairs, variation):
        where.append(part.where)
        for name, values in observe_part(instruments, subjects, part).items():
            seen.setdefault(name, []).append(values)
    order = torch.cat(where).argsort()
    return {name: torch.cat(values)[order] for name, values in seen.items()}


def observe_part(instruments: Instruments, subjects: Subjects, part: Part) -> dict[str, Tensor]:
    """Values [B] (and judge features [B,C]) of some completed pairs."""
    face, truth, hole, completed = part.face, part.truth, part.hole, part.completed
    judge, pasted = instruments.judge, composite(face, truth, hole)
    features = judge.features(completed)
    to_input, to_truth = features - subjects.features[part.source], features - subjects.features[part.wanted]
    seen = {
        "features": features.mean(dim=(2, 3)),
        "right": judge.logits(features).argmax(1) == part.emotion,
        "ceiling": judge(pasted).argmax(1) == part.emotion,
        "psnr": metrics.psnr_in(completed, face, hole),
        "ssim": metrics.ssim_in(completed, face, hole),
        "l1": metrics.l1_in(completed, face, hole),
        "l1 to truth": metrics.l1_in(completed, truth, hole),
        "features to input": to_input.square().mean(dim=(1, 2, 3)),
        "features to truth": to_truth.square().mean(dim=(1, 2, 3)),
        "outside equal": ((completed == face) | (hole > 0)).flatten(1).all(dim=1),
    }
    if instruments.identity is not None and subjects.people is not None:
        who = subjects.people[part.source]
        seen["identity"] = (instruments.identity(completed) * who).sum(1)
        seen["identity ceiling"] = (instruments.identity(pasted) * who).sum(1)
    return seen


def measure(
    pipeline: ECGANPipeline,
    instruments: Instruments,
    subjects: Subjects,
    config: TrainConfig,
    kind: str,
    pairs: tuple[Tensor, Tensor],
    variation: float = 1.0,
) -> HoleResult:
    """Complete the pairs' inputs with their wanted emotions, and judge the results beside the pasted truth."""
    seen = observe(pipeline, instruments, subjects, config, kind, pairs, variation)
    own, wanted = pairs[0] == pairs[1], subjects.faces.emotion[pairs[1]]

    def per_emotion(name: str) -> dict[str, float]:
        return {e: _mean(seen[name][wanted == i]) for i, e in enumerate(config.emotions) if (wanted == i).any()}

    accuracy, ceiling, likeness = _mean(seen["right"]), _mean(seen["ceiling"]), subjects.baselines
    return HoleResult(
        hole=kind,
        pairs=len(wanted),
        accuracy=accuracy,
        ceiling=ceiling,
        share_of_ceiling=accuracy / max(ceiling, 1e-9),
        **{name: _mean(seen[name][own]) for name in ("psnr", "ssim", "l1")},
        outside_equal=bool(seen["outside equal"].all()),
        identity=_mean(seen["identity"]) if "identity" in seen else None,
        identity_ceiling=_mean(seen["identity ceiling"]) if "identity" in seen else None,
        same_person=_mean(seen["identity"] > likeness.threshold) if likeness is not None else None,
        diversity=diversity(pipeline, subjects.faces, config, kind, variation),
        frechet=metrics.frechet_distance(seen["features"], instruments.reference),
        closer=closeness(seen, ~own),
        accuracy_per_emotion=per_emotion("right"),
        ceiling_per_emotion=per_emotion("ceiling"),
    )


def closeness(seen: dict[str, Tensor], edit: Tensor) -> Closeness | None:
    """How near the edits among the observed pairs came to the truth; None where there is none."""
    if not edit.any():
        return None
    pixels = seen["l1 to truth"] < seen["l1"]
    features = seen["features to truth"] < seen["features to input"]
    return Closeness(
        int(edit.sum()), *(_mean(values[edit]) for values in (pixels, features, seen["l1 to truth"], seen["l1"]))
    )


@torch.no_grad()
def diversity(pipeline: ECGANPipeline, faces: FaceSet, config: TrainConfig, kind: str, variation: float = 1.0) -> float:
    """Mean pairwise difference in the hole, 0..255, of four seeds of each of 24 fixed faces, own emotion."""
    face, emotion = fixed_faces(faces, DIVERSITY_FACES)
    hole = holes_for(kind, len(face), config.networks.image_size)
    spreads = []
    for i in emotion.unique().tolist():
        mine = emotion == i
        how = {"emotion": config.emotions[i], "variation": variation}
        samples = [
            pipeline.decode(pipeline.complete(face[mine], hole[mine], seeds=[seed] * int(mine.sum()), **how)).cpu()
            for seed in range(DIVERSITY_SEEDS)
        ]
        spreads.append(metrics.spread_in(samples, hole[mine]))
    return _mean(torch.cat(spreads))


def reference_faces(training: FaceSet, held_out: FaceSet) -> Tensor:
    """Indices of up to 1,000 training faces, shuffled, of the sources that the held-out faces are of; of all sources if
    those are held out whole.
    """

    def source(identity: str) -> str:
        return identity.rpartition("/")[0]

    sources = {source(name) for name in held_out.identity}
    alike = [i for i, name in enumerate(training.identity) if source(name) in sources] or range(len(training))
    order = torch.randperm(len(alike), generator=torch.Generator().manual_seed(0))
    return torch.tensor(list(alike))[order[:REFERENCE_FACES]]


def _mean(values: Tensor) -> float:
    return values.float().mean().item()
