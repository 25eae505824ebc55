"""What an artist would run instead: LaMa, MAT and Stable Diffusion 1.5 inpainting, in their true sizes.

Their weights are not needed: speed and memory are those of the architecture, and the numbers here are random. Each runs
as it runs best with ordinary means: without gradients, channels-last where its weights allow it, in float32 or in the
device's 16-bit format, whichever is faster here (`Peer.precision` says which it was).

`python -m benchmarks.measuring.peers` prints their sizes. The packages are the `bench` extra; without them a peer is
left out.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .measure import Case, Part, Settings, Table, fastest, half, run_alone, spoken

STEPS = 20
GUIDANCE = 7.5  # above 1 each step runs on two pictures: with the prompt and without
WORDS = 77  # the length of a prompt for CLIP

# The configuration of runwayml/stable-diffusion-inpainting, where it is not diffusers' default.
UNET: dict[str, Any] = {
    "sample_size": 64,
    "in_channels": 9,  # the latent, the hole, and the latent of the picture without it
    "out_channels": 4,
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
VAE: dict[str, Any] = {
    "sample_size": 512,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": 4,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}
TEXT: dict[str, Any] = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": WORDS,
    "hidden_act": "quick_gelu",
    "projection_dim": 768,
}
NOISE: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


@dataclass
class Peer:
    """A model that fills a hole in a picture of `side` × `side` pixels each time `run` is called."""

    name: str
    side: int
    precision: str
    parameters: int
    run: Case
    once: Case  # as much memory as `run`, and no more time than that takes: for Stable Diffusion one step


def lama(side: int, settings: Settings) -> Peer:
    from spandrel.architectures.LaMa import LaMa

    network = ready(LaMa(in_nc=4, out_nc=3), settings.device)
    return in_best_precision("LaMa", side, network, settings)


def mat(side: int, settings: Settings) -> Peer:
    from spandrel_extra_arches.architectures.MAT import MAT

    if side != 512:
        raise ValueError(f"MAT is made for pictures of 512 pixels, not of {side}")
    network = MAT()
    network.z, network.label = network.z.float().to(settings.device), network.label.to(settings.device)
    return in_best_precision("MAT", side, ready(network, settings.device), settings)


def stable_diffusion(side: int, settings: Settings) -> Peer:
    from diffusers import EulerDiscreteScheduler, StableDiffusionInpaintPipeline

    torch.manual_seed(0)
    dtype = half(settings.device) or torch.float32
    networks = dict(zip(("unet", "vae", "text_encoder"), diffusion_networks(dtype), strict=True))
    networks = {name: ready(network, settings.device) for name, network in networks.items()}
    if (chosen := diffusion_precision(networks["unet"], dtype, settings)) != dtype:
        dtype = chosen
        networks = {name: network.to(dtype) for name, network in networks.items()}
    pipeline = StableDiffusionInpaintPipeline(
        **networks,
        tokenizer=None,  # the words of a prompt are random numbers here
        scheduler=EulerDiscreteScheduler(**NOISE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    words = torch.randint(0, TEXT["vocab_size"], (2, WORDS), device=settings.device)
    image, hole = picture(side, settings.device)

    @torch.inference_mode()
    def run(steps: int = STEPS) -> object:
        wanted, unwanted = pipeline.text_encoder(words)[0].chunk(2)
        return pipeline(
            prompt_embeds=wanted,
            negative_prompt_embeds=unwanted,
            image=image,
            mask_image=hole,
            height=side,
            width=side,
            num_inference_steps=steps,
            guidance_scale=GUIDANCE,
            output_type="pt",
        ).images

    name = f"Stable Diffusion 1.5, {STEPS} steps"
    count = sum(parameters(network) for network in networks.values())
    return Peer(name, side, spoken(dtype), count, run, lambda: run(1))


PEERS: dict[str, tuple[Callable[[int, Settings], Peer], tuple[int, ...]]] = {
    "lama": (lama, (256, 512)),
    "mat": (mat, (512,)),
    "diffusion": (stable_diffusion, (256, 512)),
}


def peer(kind: str, side: int, settings: Settings) -> Peer | str:
    """A peer that is ready to run, or a sentence that says why there is none."""
    build, _ = PEERS[kind]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what their authors will change
            return build(side, settings)
    except ImportError as problem:
        return f"{kind} is left out: {problem}; `python -m pip install -r requirements-bench.lock` brings it."


# How they run ---


def ready(network: nn.Module, device: torch.device) -> nn.Module:
    """For inference, on the device, with the weights of its convolutions channels-last."""
    network.eval().requires_grad_(False).to(device)
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            if parameter.ndim == 4:  # MAT has some of five dimensions, and .to(memory_format=…) would refuse them
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def picture(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """A picture [1,3,side,side] in 0..1 and its hole, the lower half [1,1,side,side]."""
    image = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    hole = torch.zeros(1, 1, side, side)
    hole[..., side // 2 :, :] = 1
    return image.to(device, memory_format=torch.channels_last), hole.to(device)


def in_best_precision(name: str, side: int, network: nn.Module, settings: Settings) -> Peer:
    """A network of picture and hole, in float32 or under autocast: both of ours have parts that want float32."""
    image, hole = picture(side, settings.device)

    @torch.inference_mode()
    def plain() -> object:
        return network(image, hole)

    candidates: dict[str, Case] = {"float32": plain}
    if (dtype := half(settings.device)) is not None:

        @torch.inference_mode()
        def mixed() -> object:
            with torch.autocast(settings.device.type, dtype):
                return network(image, hole)

        candidates[f"{spoken(dtype)} (autocast)"] = mixed
    chosen = fastest(candidates, settings)
    return Peer(name, side, chosen, parameters(network), candidates[chosen], candidates[chosen])


def diffusion_networks(dtype: torch.dtype) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Stable Diffusion's U-Net, autoencoder and text encoder with random weights."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # made in their precision: a billion numbers of float32 first would be 4 GB
    try:
        return UNet2DConditionModel(**UNET), AutoencoderKL(**VAE), CLIPTextModel(CLIPTextConfig(**TEXT))
    finally:
        torch.set_default_dtype(usual)


def diffusion_precision(unet: nn.Module, dtype: torch.dtype, settings: Settings) -> torch.dtype:
    """The faster of float32 and `dtype`, by one small step of the U-Net."""
    if dtype == torch.float32:
        return dtype
    choices = {spoken(dtype): unet, "float32": copy.deepcopy(unet).float()}

    def step(network: nn.Module, of: torch.dtype) -> Case:
        latent = torch.randn(2, 9, 32, 32, device=settings.device, dtype=of)
        words = torch.randn(2, WORDS, 768, device=settings.device, dtype=of)
        return torch.inference_mode()(lambda: network(latent, 1, words))

    formats = {spoken(dtype): dtype, "float32": torch.float32}
    return formats[fastest({name: step(choices[name], of) for name, of in formats.items()}, settings)]


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def measure(settings: Settings) -> Part:
    rows = []
    for kind, (_, sides) in PEERS.items():
        found = peer(kind, sides[0], settings)
        if isinstance(found, str):
            rows.append([found, "", ""])
        else:
            rows.append([found.name, f"{found.parameters / 1e6:.1f}", found.precision])
    return Part([Table("The peers", ["model", "million parameters", "faster in"], rows)])


if __name__ == "__main__":
    run_alone(measure, "peers", __doc__)
