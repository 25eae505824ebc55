"""EC-GAN: emotion-controllable face completion (Chen et al., Applied Sciences 2023, 13(13), 7638).

    from ecgan_core import DEFAULT_CHECKPOINT, load_checkpoint

    pipeline = load_checkpoint(DEFAULT_CHECKPOINT)
    result = pipeline(image, hole, emotion="happy", seed=1)

Names are imported when they are first used, so that `import ecgan_core` costs nothing.
"""

from __future__ import annotations

import importlib
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_MODELS = _PACKAGE / "models"  # where an installed wheel has them; a checkout has them beside the packages
DEFAULT_CHECKPOINT = (_MODELS if _MODELS.is_dir() else _PACKAGE.parent / "models") / "ecgan-portraits-256.safetensors"

_HOME = {
    "Encoder": "networks.encoder",
    "Generator": "networks.generator",
    "Discriminator": "networks.discriminator",
    "EmotionSet": "emotions.sets",
    "EmotionVector": "emotions.vectors",
    "SeparationReport": "emotions.codes",
    "UnknownEmotion": "emotions.sets",
    "separation": "emotions.codes",
    "Box": "face.frame",
    "Frame": "face.frame",
    "NoFaceFound": "face.choosing",
    "NothingToDo": "face.choosing",
    "find_faces": "face.finder.finding",
    "FaceLatent": "files.latents",
    "ECGANPipeline": "pipeline",
    "ECGANOutput": "pipeline",
    "Completion": "completion",
    "PortraitLatent": "face.portrait_latent",
    "complete_portraits": "face.portrait",
    "render": "face.portrait",
    "shift_portraits": "face.portrait",
    "BadFile": "files.tensors",
    "CheckpointError": "files.checkpoint",
    "CheckpointInfo": "files.checkpoint",
    "inspect_checkpoint": "files.checkpoint",
    "load_checkpoint": "files.checkpoint",
    "save_checkpoint": "files.checkpoint",
}

__all__ = ["DEFAULT_CHECKPOINT", *_HOME]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
