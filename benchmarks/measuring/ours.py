"""Our side: models, a portrait with a hole, and what the nodes do with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ecgan_core.face.face_hole import face_hole
from ecgan_core.face.portrait import PortraitLatent, complete_portraits, render, shift_portraits
from ecgan_core.files.checkpoint import load_checkpoint, save_checkpoint
from ecgan_core.pipeline import ECGANPipeline
from ecgan_core.precision import arrange_for_cpu, fastest_on_cpu
from train.config import TrainConfig
from train.learning.networks import build_networks, pipeline_of
from train.stages import load_stage

ROOT = Path(__file__).resolve().parents[2]
PORTRAIT = ROOT / "workflows" / "input" / "portrait-1.png"
FACES = sorted((ROOT / "workflows" / "input").glob("*.jpg"))
SIZES = (64, 128, 256, 512)
HOLE = "lower face"


def default_precision(device: torch.device) -> torch.dtype:
    """What the node's precision "auto" is there."""
    return torch.float16 if device.type == "cuda" else fastest_on_cpu()


def recipe(size: int) -> TrainConfig:
    """The recipe of a size, without its data. For 512 it is that of 256 with one more level."""
    if size == 512:
        config = recipe(256)
        widths = (config.networks.widths[0], *config.networks.widths)
        return replace(config, networks=replace(config.networks, image_size=512, widths=widths))
    file, stage = {64: ("portraits-64", ""), 128: ("portraits", "first"), 256: ("portraits-256", "detail")}[size]
    return replace(load_stage(ROOT / "recipes" / f"{file}.yaml", name=stage), data=())


def write_untrained(size: int, folder: Path) -> Path:
    """A checkpoint of the recipe of a size with random weights: it draws no faces, but as fast as a trained one."""
    config = recipe(size)
    torch.manual_seed(0)
    networks = build_networks(config)
    with torch.no_grad():
        for network in networks.values():
            for parameter in network.parameters():  # many branches of a new network are zero
                parameter += 0.02 * torch.randn_like(parameter)
    file = folder / f"untrained-{size}.safetensors"
    save_checkpoint(pipeline_of(networks, config), file)
    return file


def load(file: Path, device: torch.device, dtype: torch.dtype | None = None) -> ECGANPipeline:
    """A checkpoint as Load EC-GAN Model gives it, on the device."""
    dtype = dtype or default_precision(device)
    pipeline = load_checkpoint(file, dtype)
    for network in (pipeline.encoder, pipeline.generator, pipeline.discriminator):
        network.requires_grad_(False).to(device)
    if device.type == "cpu":
        arrange_for_cpu(pipeline)
    return pipeline


def portrait(side: int) -> tuple[Tensor, Tensor]:
    """A portrait as a picture of side × side pixels [1,3,side,side], and its hole [1,1,side,side], both in 0..1."""
    image = Image.open(PORTRAIT).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    picture = torch.from_numpy(np.asarray(image).copy()).movedim(-1, 0)[None].float() / 255
    return picture, face_hole(picture[0], HOLE)[None]


def frames(count: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """`count` faces [count,3,size,size] in −1..1 that fill their pictures, and their holes: what the networks see."""
    picture, hole = portrait(size)
    face = (2 * picture - 1).expand(count, -1, -1, -1).contiguous()
    return face.to(device), (hole > 0.5).float().expand(count, -1, -1, -1).contiguous().to(device)


def some_emotion(pipeline: ECGANPipeline) -> str:
    return next(name for name in pipeline.emotion_set.names if name != pipeline.emotion_set.neutral)


def complete(pipeline: ECGANPipeline, pictures: Tensor, holes: Tensor, samples: int = 1) -> PortraitLatent:
    """What Complete Masked Face does: find, complete, draw picture by picture, and tell what has changed."""
    latent = complete_portraits(
        pipeline, pictures, holes, emotion=some_emotion(pipeline), seeds=1, variation=0.5, samples=samples
    )
    draw(pipeline, latent)
    assert latent.changed.any()
    return latent


def shift(pipeline: ECGANPipeline, latent: PortraitLatent, strength: float = 0.5) -> None:
    """What Shift Emotion does with a completed face."""
    draw(pipeline, shift_portraits(pipeline, latent, pipeline.vector(some_emotion(pipeline)), strength))


def draw(pipeline: ECGANPipeline, latent: PortraitLatent) -> Tensor:
    """The nodes draw one picture after the other, so that each is shown as soon as it is there."""
    return torch.cat([render(pipeline, latent[index]) for index in range(len(latent))])


def networks_alone(pipeline: ECGANPipeline, face: Tensor, hole: Tensor) -> Tensor:
    """Both networks on faces that fill their pictures: no finding, no stitching."""
    seeds = range(len(face))
    return pipeline.decode(pipeline.complete(face, hole, emotion=some_emotion(pipeline), seeds=seeds, variation=0.5))
