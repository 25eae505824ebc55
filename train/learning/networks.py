"""The networks of a config: untrained, or with E and G from a finished checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.networks.discriminator import Discriminator
from ecgan_core.networks.encoder import Encoder
from ecgan_core.networks.generator import Generator
from ecgan_core.pipeline import ECGANPipeline

from ..config import ConfigError, TrainConfig
from .features import FeatureNetwork


def build_networks(config: TrainConfig) -> dict[str, Any]:
    """E, G, D and φ of a config, untrained."""
    sizes = config.networks
    shape = {"image_size": sizes.image_size, "widths": sizes.widths, "latent_channels": sizes.latent_channels}
    num_emotions = len(config.emotions)
    return {
        "encoder": Encoder(**shape, noise_rank=sizes.noise_rank),
        "generator": Generator(**shape, num_emotions=num_emotions, upsampling=sizes.upsampling),
        "discriminator": Discriminator(
            sizes.image_size,
            sizes.discriminator_widths,
            sizes.emotion_widths,
            num_emotions,
            emotion_cells=sizes.emotion_cells,
            shared_trunk=sizes.shared_trunk,
        ),
        "features": FeatureNetwork(sizes.feature_widths, num_emotions, sizes.emotion_cells),
    }


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
    found = finished.encoder.config
    wrong = []
    for key in ("image_size", "widths", "latent_channels"):
        theirs, ours = found[key], getattr(config.networks, key)
        if theirs != ours and list(_flat(theirs)) != list(_flat(ours)):
            said = str(list(_flat(theirs))).replace(" ", "") if isinstance(theirs, (list, tuple)) else theirs
            wrong.append(f"networks.{key}={said}")
    if wrong:
        raise ConfigError(f"{file} is of another size than the recipe's networks: to start from it, {_said(wrong)}")
    weights = finished.encoder.state_dict()
    weights.pop("deviations", None)  # a run measures its own
    networks["encoder"].load_state_dict(weights, strict=False)
    weights = finished.generator.state_dict()
    if finished.emotion_set.names != config.emotions:
        weights["emotion_codes"] = networks["generator"].emotion_codes
    networks["generator"].load_state_dict(weights)
    return f"{file.name} ({finished.fingerprint})"


def _flat(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


def _said(settings: list[str]) -> str:
    return f"say --set {' '.join(settings)}"
