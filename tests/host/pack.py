"""What the node tests share: the pack as ComfyUI loads it, a small model, and pictures and masks to feed it."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
EMOTIONS = ("calm", "glad", "grim")  # not the default model's: nothing may depend on those
MODEL = "tiny.safetensors"


def load_pack(folder: Path) -> list[type]:
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    async def nodes():
        return await (await module.comfy_entrypoint()).get_node_list()

    return asyncio.run(nodes())


def save_tiny(path: Path, seed: int, emotions=EMOTIONS) -> None:
    from ecgan_core import Discriminator, ECGANPipeline, Encoder, Generator, save_checkpoint

    torch.manual_seed(seed)
    shape = {"image_size": 64, "widths": (8, 8, 16, 16)}
    encoder = Encoder(**shape, latent_channels=6)
    generator = Generator(**shape, latent_channels=6, num_emotions=len(emotions))
    discriminator = Discriminator(**shape, num_emotions=len(emotions))
    for network in (encoder, generator, discriminator):
        for parameter in network.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    pipeline = ECGANPipeline(encoder, generator, discriminator, emotions=list(emotions), neutral=emotions[0])
    save_checkpoint(pipeline, path, dtype=torch.float32)


def run(node, **inputs):
    """What a node hands on, with its schema's defaults for what is not given, in inference mode as in ComfyUI."""
    for slot in node.define_schema().inputs:
        default = getattr(slot, "default", None)
        if slot.id not in inputs and default is not None:
            inputs[slot.id] = default
    with torch.inference_mode():
        return node.execute(**inputs).result


def picture(height=150, width=200, count=1, channels=3, seed=1) -> torch.Tensor:
    """Pictures of 8-bit noise, larger than the model's frame: IMAGE [count,height,width,channels]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, height, width, channels), generator=generator).float() / 255


def hole(height=150, width=200, count=1) -> torch.Tensor:
    """A MASK [count,height,width] with a box to fill, farther right in each."""
    mask = torch.zeros(count, height, width)
    for i in range(count):
        mask[i, height // 3 : 2 * height // 3, width // 4 + 5 * i : width // 2 + 5 * i] = 1
    return mask
