"""The types that travel between our nodes, one that other packs send, and what is inside two of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from comfy_api.latest import io

if TYPE_CHECKING:
    from ecgan_core.emotions.keyframes import Keyframe
    from ecgan_core.emotions.vectors import EmotionVector
    from ecgan_core.face.portrait import PortraitLatent

ModelSocket = io.Custom("ECGAN_MODEL")  # comfy_ecgan.models.HostModel
LatentSocket = io.Custom("ECGAN_LATENT")  # CompletedPortraits, below
VectorSocket = io.Custom("EMOTION_VECTOR")  # ecgan_core.emotions.vectors.EmotionVector
KeyframesSocket = io.Custom("EMOTION_KEYFRAMES")  # EmotionsOverTime, below
BoxSocket = io.Custom("BOUNDING_BOX")  # of others: comfy_ecgan.boxes knows its forms

# Pages since ComfyUI 0.15 (February 2026) draw a BOUNDING_BOX as a widget, whose value counts as connected.
A_WIRE_ALONE = {"forceInput": True}


@dataclass(frozen=True, eq=False)
class CompletedPortraits:
    """Completed faces in their pictures, ready to be shifted. ComfyUI caches outputs, so nothing here is ever changed.

    Attributes:
        portrait: what the core needs to render the pictures again, on the device where ComfyUI keeps outputs.
        image: the pictures as rendered, IMAGE [B,H,W,3 or 4] in 0..1; a shift by 0 hands on these very pixels.
        alpha: the transparency of the pictures, [B,H,W,1], or None where they had none.
    """

    portrait: PortraitLatent
    image: torch.Tensor
    alpha: torch.Tensor | None


@dataclass(frozen=True, eq=False)
class EmotionsOverTime:
    """What each frame shows, of however many there are.

    Attributes:
        keyframes: in the order of their frames.
        easing, loop: the way between them; see `ecgan_core.emotions.keyframes.timeline`.
        vectors: of every emotion that they name.
    """

    keyframes: list[Keyframe]
    easing: str
    loop: bool
    vectors: dict[str, EmotionVector]
