"""A small model with random weights: it draws no faces, but all that is promised about it holds for it too."""

from __future__ import annotations

import pytest
import torch

from ecgan_core import DEFAULT_CHECKPOINT, load_checkpoint
from ecgan_core.networks.discriminator import Discriminator
from ecgan_core.networks.encoder import Encoder
from ecgan_core.networks.generator import Generator
from ecgan_core.pipeline import ECGANPipeline

EMOTIONS = ["calm", "joyful", "angry"]  # not seven, and neutral has another name: nothing may assume either


def random_pipeline(
    seed: int = 0, neutral: str = "calm", spectral_norm: bool = True, noise_rank: int = 0
) -> ECGANPipeline:
    torch.manual_seed(seed)
    sizes = {"image_size": 64, "widths": (16, 16, 32, 32), "latent_channels": 16}
    encoder = Encoder(**sizes, noise_rank=noise_rank)
    generator = Generator(**sizes, num_emotions=len(EMOTIONS))
    discriminator = Discriminator(64, (16, 16, 16), (8, 8), num_emotions=len(EMOTIONS), spectral_norm=spectral_norm)
    # A fresh network adds nothing in many branches (they start at zero); a trained one uses all of them.
    for network in (encoder, generator, discriminator):
        for parameter in network.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
        network.eval()
    if noise_rank:
        encoder.deviations += torch.randn_like(encoder.deviations)
    generator.emotion_codes += 0.05 * torch.randn_like(generator.emotion_codes)
    return ECGANPipeline(encoder, generator, discriminator, EMOTIONS, neutral)


@pytest.fixture(scope="session")
def pipeline() -> ECGANPipeline:
    return random_pipeline(noise_rank=5)


@pytest.fixture(scope="session")
def other_pipeline() -> ECGANPipeline:
    return random_pipeline(seed=1)


@pytest.fixture(scope="session")
def bundled() -> ECGANPipeline:
    """The model that comes with the pack, for what must be seen in pictures."""
    return load_checkpoint(DEFAULT_CHECKPOINT)


@pytest.fixture
def faces() -> torch.Tensor:
    """Three smooth random "faces" [3,3,64,64] in −1..1."""
    noise = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(5))
    return 2 * torch.nn.functional.interpolate(noise, size=(64, 64), mode="bilinear") - 1


@pytest.fixture
def holes() -> torch.Tensor:
    """The middle of the face is missing, [3,1,64,64]."""
    hole = torch.zeros(3, 1, 64, 64)
    hole[:, :, 20:48, 16:50] = 1
    return hole
