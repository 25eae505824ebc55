"""The networks of a config: untrained, or with E and G from a finished checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.networks.discriminator import Discriminator
from ecgan_core.networks.encoder import Encoder
from ecgan_core.networks.generator import Generator
from ecgan_core.pipeline import ECGANPipeline

from ..config import ConfigError, Networks, TrainConfig
from .judges.features import FeatureNetwork
from .judges.projected import ProjectedDiscriminator


def build_networks(config: TrainConfig) -> dict[str, Any]:
    """E, G, D and φ of a config, untrained, and the projected discriminator if it has a say."""
    sizes = config.networks
    shape = {key: getattr(sizes, key) for key in ("image_size", "widths", "latent_channels", "grown", "deeper")}
    num_emotions = len(config.emotions)
    networks: dict[str, Any] = {
        "encoder": Encoder(**shape, noise_rank=sizes.noise_rank),
        "generator": Generator(**shape, num_emotions=num_emotions, upsampling=sizes.upsampling),
        "discriminator": Discriminator(
            sizes.image_size,
            sizes.discriminator_widths,
            sizes.emotion_widths,
            num_emotions,
            emotion_cells=sizes.emotion_cells,
            shared_trunk=sizes.shared_trunk,
            grown=sizes.grown,
        ),
        "features": FeatureNetwork(sizes.feature_widths, num_emotions, sizes.emotion_cells),
    }
    if config.uses("projected"):
        networks["projected"] = ProjectedDiscriminator()
    return networks


def pipeline_of(networks: dict[str, Any], config: TrainConfig) -> ECGANPipeline:
    """E, G and Q of `build_networks`, as the pipeline that users run."""
    return ECGANPipeline(
        networks["encoder"], networks["generator"], networks["discriminator"], list(config.emotions), config.neutral
    )


def start_from(networks: dict[str, Any], file: Path, config: TrainConfig) -> str:
    """Give E and G the weights of a finished checkpoint, and return "NAME (FINGERPRINT)" of it.

    Its emotions may be others than the config's: the recorded codes are then those of a new model, and D and Q are
    always new, as the paper has the emotion inference network.

    Raises:
        CheckpointError: the file is no checkpoint.
        ConfigError: its networks have other sizes than the config's; the text says what to set.
    """
    finished = load_checkpoint(file)
    _must_fit(file, finished.encoder.config, config.networks)
    weights = finished.encoder.state_dict()
    if not config.detail or finished.encoder.noise_shape != networks["encoder"].noise_shape:
        weights.pop("deviations", None)  # a run measures its own
    put_into(networks["encoder"], weights)
    weights = finished.generator.state_dict()
    same_emotions = finished.emotion_set.names == config.emotions
    if not same_emotions:
        weights["emotion_codes"] = networks["generator"].emotion_codes
    put_into(networks["generator"], weights)
    if config.detail:  # all but the detail stays as it is, and so does Q
        if not same_emotions:
            raise ConfigError(f"{file} has other emotions than the recipe, which only adds detail to its faces")
        _must_read_alike(file, finished.discriminator.config, networks["discriminator"].config)
        weights = {k: v for k, v in finished.discriminator.state_dict().items() if k.startswith("emotion_")}
        networks["discriminator"].load_state_dict(weights, strict=False)
    return f"{file.name} ({finished.fingerprint})"


def put_into(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load a trained network's weights into one that may have more levels, blocks or channels.

    What is new is not seen by what was there, so that the network says what the trained one said, until it is trained
    itself (Net2Net, Chen et al. 2016). That takes groups of GroupNorm which hold what they held: 16 channels each.
    """
    own = network.state_dict()
    network.load_state_dict({name: _widened(name, own[name], weight) for name, weight in weights.items()}, strict=False)


def _widened(name: str, untrained: Tensor, trained: Tensor) -> Tensor:
    """`untrained` with `trained` as its first channels, which see none of the others."""
    if untrained.shape == trained.shape:
        return trained
    result = untrained.clone()
    if ".style." in name:  # first all scales, then all shifts
        of_both, trained_of_both = (w.unflatten(0, (2, -1)) for w in (result, trained))
        of_both[:, : trained_of_both.shape[1]] = trained_of_both
        return result
    outputs = result[: len(trained)]
    if trained.ndim == 1:
        outputs[:] = trained
        return result
    inputs = trained.shape[1]
    outputs[:] = 0
    if name.endswith(".skip.weight"):  # whose last input is not one of the channels, but the hole's share
        outputs[:, -1] = trained[:, -1]
        inputs -= 1
    outputs[:, :inputs] = trained[:, :inputs]
    return result


def _must_fit(file: Path, found: Mapping[str, Any], wanted: Networks) -> None:
    """Raise ConfigError unless networks of a finished encoder's config can be, or be grown to, those of a recipe."""
    for key, what in {"grown": "grown levels", "deeper": "deeper blocks"}.items():
        if getattr(wanted, key) < found.get(key, 0):
            raise ConfigError(f"{file} has more {what} than the recipe: say --set networks.{key}={found[key]}")
    more = wanted.grown - found.get("grown", 0)
    widths = [*wanted.widths[:more], *found["widths"]]
    if can_widen(widths, wanted.widths):
        widths = list(wanted.widths)
    theirs = {
        "image_size": found["image_size"] * 2**more,
        "widths": widths,
        "latent_channels": found["latent_channels"],
    }
    ours = {"image_size": wanted.image_size, "widths": list(wanted.widths), "latent_channels": wanted.latent_channels}
    wrong = [f"networks.{key}={str(value).replace(' ', '')}" for key, value in theirs.items() if value != ours[key]]
    if wrong:
        raise ConfigError(f"{file} is of another size than the recipe's networks: to start from it, {_said(wrong)}")


def _must_read_alike(file: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise ConfigError unless Q of a finished discriminator's config is that of a recipe, which is to keep it."""
    keys = [key for key in ("emotion_widths", "emotion_cells", "shared_trunk") if key in found]
    theirs, ours = ([json.dumps(of[key], separators=(",", ":")) for key in keys] for of in (found, wanted))
    wrong = [f"networks.{key}={a}" for key, a, b in zip(keys, theirs, ours, strict=True) if a != b]
    if wrong:
        raise ConfigError(f"{file} reads emotions with another network than the recipe's; to keep it, {_said(wrong)}")


def can_widen(narrow: Sequence[int], wide: Sequence[int]) -> bool:
    """Whether a trained network of some widths can be put into one of others, see `put_into`."""
    if len(narrow) != len(wide) or list(narrow[-2:]) != list(wide[-2:]):  # the latent code, and heads of attention
        return False
    changed = [(a, b) for a, b in zip(narrow, wide, strict=True) if a != b]
    whole_groups = all(a < b and a % 16 == b % 16 == 0 for a, b in changed)
    # A block between two equal widths has no shortcut of its own.
    return whole_groups and [a == b for a, b in pairwise(narrow)] == [a == b for a, b in pairwise(wide)]


def _said(settings: list[str]) -> str:
    return f"say --set {' '.join(settings)}"
