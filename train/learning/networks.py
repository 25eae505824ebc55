"""The networks of a config: untrained, or with E and G from a finished checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.networks.discriminator import Discriminator
from ecgan_core.networks.encoder import Encoder
from ecgan_core.networks.generator import Generator
from ecgan_core.pipeline import ECGANPipeline

from ..config import ConfigError, Networks, TrainConfig
from .features import FeatureNetwork
from .projected import ProjectedDiscriminator


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
    weights.pop("deviations", None)  # a run measures its own
    networks["encoder"].load_state_dict(weights, strict=False)
    weights = finished.generator.state_dict()
    same_emotions = finished.emotion_set.names == config.emotions
    if not same_emotions:
        weights["emotion_codes"] = networks["generator"].emotion_codes
    networks["generator"].load_state_dict(weights, strict=False)
    if config.detail:  # all but the detail stays as it is, and so does Q
        if not same_emotions:
            raise ConfigError(f"{file} has other emotions than the recipe, which only adds detail to its faces")
        weights = {k: v for k, v in finished.discriminator.state_dict().items() if k.startswith("emotion_")}
        networks["discriminator"].load_state_dict(weights, strict=False)
    return f"{file.name} ({finished.fingerprint})"


def _must_fit(file: Path, found: Mapping[str, Any], wanted: Networks) -> None:
    """Raise ConfigError unless networks of a finished encoder's config can be, or be grown to, those of a recipe."""
    for key, what in {"grown": "grown levels", "deeper": "deeper blocks"}.items():
        if getattr(wanted, key) < found.get(key, 0):
            raise ConfigError(f"{file} has more {what} than the recipe: say --set networks.{key}={found[key]}")
    more = wanted.grown - found.get("grown", 0)
    theirs = {
        "image_size": found["image_size"] * 2**more,
        "widths": [*wanted.widths[:more], *found["widths"]],
        "latent_channels": found["latent_channels"],
    }
    ours = {"image_size": wanted.image_size, "widths": list(wanted.widths), "latent_channels": wanted.latent_channels}
    wrong = [f"networks.{key}={str(value).replace(' ', '')}" for key, value in theirs.items() if value != ours[key]]
    if wrong:
        raise ConfigError(f"{file} is of another size than the recipe's networks: to start from it, {_said(wrong)}")


def _said(settings: list[str]) -> str:
    return f"say --set {' '.join(settings)}"
