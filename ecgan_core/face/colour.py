"""Matching the colour of what was drawn to the skin around it: the light of a photograph is not the model's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

RING = 1 / 16  # width of the rings on either side of the hole's edge, in sides of the frame
BLUR = 1 / 8  # standard deviation of what counts as low frequency, likewise
SKIN = 0.08  # how far the chroma of skin strays; a ring may also cross hair, lips or what is behind the head
TRUST = 1e-3  # how much of a blurred ring there must be before it counts for more than the mean of all of it


def match_colour(patch: Tensor, face: Tensor, hole: Tensor, strength: float) -> Tensor:
    """A patch whose broad colour inside the hole is moved towards that of the face just outside.

    On a ring inside the hole's edge and one outside, the colours are blurred until only their broad course is left, and
    the difference is added inside. Expression and texture, which are finer than that, stay.

    Args:
        patch: [B,3,S,S] in 0..1, what the model drew; outside the hole it is the face.
        face: [B,3,S,S] in 0..1, the picture's own pixels.
        hole: [B,1,S,S], 1 = filled.
        strength: 0 leaves the patch as it is, bit for bit; 1 matches fully.

    Returns:
        [B,3,S,S] in 0..1, changed inside the hole only.
    """
    if strength == 0:
        return patch
    width = max(1, round(RING * hole.shape[-1]))
    outside, inside = _grown(hole, width) - hole, hole - (1 - _grown(1 - hole, width))
    # A hole that takes up the whole frame has nothing around it to be matched to.
    known = ((outside > 0).flatten(1).any(1) & (inside > 0).flatten(1).any(1))[:, None, None, None]
    difference = _course(face, _skin(face, outside)) - _course(patch, _skin(patch, inside))
    matched = (patch + strength * difference).clamp(0, 1)
    return torch.where(known & (hole > 0), matched, patch)


def _grown(region: Tensor, width: int) -> Tensor:
    return F.max_pool2d(region, 2 * width + 1, stride=1, padding=width)


def _skin(colours: Tensor, ring: Tensor) -> Tensor:
    """A ring [B,1,S,S], each pixel weighted by how much its chroma is that of most of the ring; brightness is free."""
    chroma = colours - colours.mean(dim=1, keepdim=True)
    usual = [c[:, r[0] > 0].median(dim=1).values if r.any() else c[:, 0, 0] for c, r in zip(chroma, ring, strict=True)]
    away = (chroma - torch.stack(usual)[:, :, None, None]).square().sum(dim=1, keepdim=True)
    return ring * torch.exp(-away / (2 * SKIN**2))


def _course(colours: Tensor, ring: Tensor) -> Tensor:
    """The broad course [B,3,S,S] of the colours on a ring [B,1,S,S], continued to where the ring is not."""
    mean = (colours * ring).sum(dim=(2, 3), keepdim=True) / ring.sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)
    return (_blurred(colours * ring) + TRUST * mean) / (_blurred(ring) + TRUST)


def _blurred(image: Tensor) -> Tensor:
    sigma = BLUR * image.shape[-1]
    reach = round(3 * sigma)
    steps = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-((steps / sigma) ** 2) / 2)
    kernel = (kernel / kernel.sum()).expand(image.shape[1], 1, -1)
    across = F.conv2d(image, kernel[:, :, None], padding=(0, reach), groups=image.shape[1])
    return F.conv2d(across, kernel[..., None], padding=(reach, 0), groups=image.shape[1])
