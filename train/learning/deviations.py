"""How far real faces are from what their visible part lets expect: what the noise of samples is made of."""

from __future__ import annotations

import torch

from ecgan_core.face.holes import region
from ecgan_core.networks.encoder import Encoder

from ..data.faces import FaceSet, draw

HOLE = "whole face"  # the hole that leaves most to chance


@torch.no_grad()
def record_deviations(encoder: Encoder, faces: FaceSet, generator: torch.Generator, at_once: int) -> None:
    """Measure the encoder's `deviations` anew, in place, on faces drawn from a set as training draws them.

    A deviation is (posterior mean − prior mean) / prior standard deviation of a face whose middle is masked. An encoder
    without deviations stays as it is.
    """
    if encoder.deviations is None:
        return
    index = draw(faces, len(encoder.deviations), generator)
    hole = region(HOLE, len(index), faces.pictures.shape[-1], generator)
    for part, hole_part, into in zip(*(t.split(at_once) for t in (index, hole, encoder.deviations)), strict=True):
        device = into.device
        face = faces.pick(part, device).contiguous(memory_format=torch.channels_last)
        encoded, posterior = encoder.both(face, hole_part.to(device))
        into.copy_((posterior.mean - encoded.prior.mean) / encoded.prior.std)
