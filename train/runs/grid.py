"""The sample grid: always the same held-out faces, holes and noise, so that two grids differ by training alone."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ecgan_core.emotions.codes import replicate
from ecgan_core.face.holes import region
from ecgan_core.files.replacing import write_image
from ecgan_core.networks.encoder import Encoder
from ecgan_core.networks.generator import Generator, composite

from ..data.faces import FaceSet, to_float

GRID_HOLES = ("whole face", "lower face")


def fixed_faces(faces: FaceSet, count: int, seed: int = 7) -> tuple[Tensor, Tensor]:
    """`count` faces [count,3,S,S] and their emotions: unselected, shuffled by a seed, another identity each."""
    first_of: dict[str, int] = {}
    for i in torch.randperm(len(faces), generator=torch.Generator().manual_seed(seed)).tolist():
        first_of.setdefault(faces.identity[i], i)
    index = torch.tensor(list(first_of.values())[:count])
    return to_float(faces.faces[index]), faces.emotion[index]


@torch.no_grad()
def sample_grid(encoder: Encoder, generator: Generator, face: Tensor, emotion: Tensor, noise_seed: int = 0) -> Tensor:
    """One row a face: input · hole · reconstruction · every emotion, once per kind of `GRID_HOLES`; uint8 [3,H,W]."""
    num_emotions, channels = generator.config.num_emotions, generator.config.latent_channels
    own = F.one_hot(emotion, num_emotions).float().to(face.device)
    sheets = []
    for kind in GRID_HOLES:
        hole = region(kind, len(face), face.shape[-1], torch.Generator(), jitter=0).to(face.device)
        visible = face * (1 - hole)
        encoded, posterior = encoder.both(face, hole)
        noise = torch.randn(encoded.prior.mean.shape, generator=torch.Generator().manual_seed(noise_seed))
        guess = encoded.prior.sample(noise.to(face.device))
        wishes = [(posterior.mean, own)]
        wishes += [(guess, row.expand_as(own)) for row in torch.eye(num_emotions, device=face.device)]
        columns = [face, visible]
        for z, label in wishes:
            images = generator(z, replicate(label, channels), encoded.features, visible, hole)
            columns.append(composite(face, images[-1], hole))
        sheets.append(torch.stack(columns, dim=1))  # [B, columns, 3, S, S]
    return tile(torch.cat(sheets, dim=1))


def tile(pictures: Tensor) -> Tensor:
    """Pictures [rows, columns, 3, H, W] in −1..1 → one uint8 picture [3, rows·H, columns·W]."""
    rows, columns, channels, height, width = pictures.shape
    sheet = pictures.permute(2, 0, 3, 1, 4).reshape(channels, rows * height, columns * width)
    return ((sheet.clamp(-1, 1) + 1) * 127.5).round().byte().cpu()


def write_picture(picture: Tensor, path: Path) -> None:
    """Write uint8 [3,H,W] as a JPEG, in one step."""
    write_image(Image.fromarray(picture.permute(1, 2, 0).numpy()), path, "JPEG", quality=92)
