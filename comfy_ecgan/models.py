"""Checkpoints in ComfyUI: the folder `models/ecgan`, what its files offer, and loading one under ComfyUI's management.

Nothing here imports diffusers before a checkpoint is loaded: ComfyUI starts as fast as without us.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import comfy.model_management as memory
import folder_paths
import torch
from comfy.model_patcher import ModelPatcher

from ecgan_core import DEFAULT_CHECKPOINT
from ecgan_core.files.checkpoint import CheckpointError, CheckpointInfo, inspect_checkpoint, load_checkpoint
from ecgan_core.words import shown

from .folders import model_folders

if TYPE_CHECKING:
    from ecgan_core.pipeline import ECGANPipeline

logger = logging.getLogger(__name__)

FOLDER = "ecgan"
NO_MODEL = "(no model: put an EC-GAN .safetensors file into ComfyUI/models/ecgan and press R)"
PRECISIONS = {"auto": None, "fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def register_folder() -> None:
    """Make `models/ecgan` a model folder of ComfyUI's, with the pack's own models behind the user's; safe to repeat."""
    model_folders.register(FOLDER, str(DEFAULT_CHECKPOINT.parent))


def checkpoint_names() -> list[str]:
    """Names of the installed checkpoints, the bundled default first."""
    return sorted(model_folders.names(FOLDER), key=lambda name: (name != DEFAULT_CHECKPOINT.name, name.lower()))


def checkpoint_path(name: str) -> Path:
    """Where the checkpoint listed as `name` lies.

    Raises:
        ValueError: it is not installed (ComfyUI does not check the value of a combo).
    """
    path = model_folders.path_of(FOLDER, name)
    if path is None:
        known = ", ".join(checkpoint_names()) or "none yet"
        raise ValueError(
            f"there is no model {shown(name)} (installed: {known}); put the .safetensors file into "
            f"{folder_paths.get_folder_paths(FOLDER)[0]} and press R, or choose another"
        )
    return path


def weights_stamp(name: str | None) -> str:
    """Changes when the file behind `name` does, so that ComfyUI loads it again."""
    return model_folders.stamp_of(FOLDER, name)


def installed_emotions(*, neutral: bool = True) -> list[str]:
    """Every emotion that some installed model knows, the default model's first; without the neutral ones if asked."""
    names: dict[str, None] = {}  # a dict keeps their order
    for checkpoint in checkpoint_names():
        path = model_folders.path_of(FOLDER, checkpoint)
        try:
            info = _info(path, model_folders.version(path)) if path else None
        except OSError:  # it went away just now
            continue
        if info is not None:
            names.update((name, None) for name in info.emotions if neutral or name != info.neutral)
    return list(names)


@lru_cache(maxsize=256)
def _info(path: Path, version: str) -> CheckpointInfo | None:
    """The header of one version of a file: ComfyUI asks for the combo's options again and again."""
    try:
        return inspect_checkpoint(path)
    except CheckpointError as problem:  # one bad file must not take the nodes away; loading it says the same aloud
        logger.warning("EC-GAN: %s", problem)
        return None


class ECGANNetworks(torch.nn.Module):
    """The three networks as the one module that ComfyUI moves and evicts.

    ComfyUI writes a `device` attribute on what it moves; on diffusers' models that name is a read-only property.
    """

    def __init__(self, pipeline: ECGANPipeline):
        super().__init__()
        self.encoder, self.generator, self.discriminator = pipeline.encoder, pipeline.generator, pipeline.discriminator


@dataclass(frozen=True, eq=False)
class HostModel:
    """A loaded checkpoint, as it travels on an ECGAN_MODEL wire."""

    name: str
    pipeline: ECGANPipeline
    patcher: ModelPatcher

    def on_device(self) -> ECGANPipeline:
        """The pipeline with its networks on ComfyUI's device, other models evicted where they are in the way."""
        from ecgan_core.face.portrait import FACES_AT_ONCE

        # A few hundred float32 channels at full size bound what one face takes on its way through the networks.
        memory_required = FACES_AT_ONCE * self.pipeline.frame_size**2 * 512 * 4
        memory.load_models_gpu([self.patcher], memory_required=memory_required, force_full_load=True)
        # Under --novram ComfyUI leaves layers that are not its own where they are; ours are small and run only whole.
        self.patcher.model.to(self.patcher.load_device)
        return self.pipeline


def load_model(name: str, precision: str = "auto") -> HostModel:
    """Load the checkpoint listed as `name`; it moves to the device when a node first uses it.

    Raises:
        ValueError: no such model or precision.
        CheckpointError: the file is not a checkpoint that this version can read.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"the precision {shown(precision)} is not one of {', '.join(PRECISIONS)}")
    path = checkpoint_path(name)
    device = memory.get_torch_device()
    dtype = PRECISIONS[precision] or _suited(device)
    pipeline = load_checkpoint(path, dtype)
    networks = ECGANNetworks(pipeline).requires_grad_(False)
    if device.type == "cpu":
        from ecgan_core.precision import arrange_for_cpu

        arrange_for_cpu(pipeline)
    return HostModel(name, pipeline, ModelPatcher(networks, device, memory.unet_offload_device()))


def _suited(device: torch.device) -> torch.dtype:
    """The precision that "auto" means on a device."""
    from ecgan_core.precision import fastest_on_cpu

    if memory.should_use_fp16(device):
        return torch.float16
    return fastest_on_cpu() if device.type == "cpu" else torch.float32
