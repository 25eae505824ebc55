"""What the example workflows are put together from: places on the canvas, and the nodes that several of them have."""

from __future__ import annotations

from typing import Any

from ecgan_core import DEFAULT_CHECKPOINT
from tools.comfyui.workflow import Node

# Columns: where they begin and how wide the nodes in them are.
FIRST, SECOND, THIRD, FOURTH = 40, 440, 860, 1280
NARROW, WIDE = 340, 360
TOP = 60

MODEL = {"model": ("model", "model")}
LATENT = {**MODEL, "latent": ("complete", "latent")}
PICTURES = "Are the pictures missing? Copy the pack's `workflows/input` into `ComfyUI/input` and press **R**."
FIXED = {"control_after_generate": "fixed"}
HOLE, PAINTED = ("hole", "mask"), ("image", "MASK")
SEEN = "The **i** button above a selected node opens its help."


def load_model(at: tuple[int, int] = (FIRST, TOP)) -> Node:
    return Node("model", "LoadECGAN", at, (NARROW, 82), widgets={"model": DEFAULT_CHECKPOINT.name})


def load_image(name: str, file: str, at: tuple[int, int], height: int = 420, title: str = "") -> Node:
    return Node(name, "LoadImage", at, (NARROW, height), widgets={"image": file}, title=title)


def note(title: str, text: str, at: tuple[int, int], height: int, width: int = NARROW) -> Node:
    height += 50 if width == NARROW else 20
    return Node("note", "MarkdownNote", at, (width, height), widgets={"text": f"{text}\n\n{PICTURES}"}, title=title)


def face_hole(part: str, at: tuple[int, int], image: tuple[str, str] = ("image", "IMAGE"), **widgets: Any) -> Node:
    return Node("hole", "ECGANFaceHole", at, (WIDE, 500), {"image": image}, {"part": part, **widgets})


def complete(
    at: tuple[int, int], mask: tuple[str, str], image: tuple[str, str] = ("image", "IMAGE"), **widgets: Any
) -> Node:
    inputs = {**MODEL, "image": image, "mask": mask}
    return Node("complete", "MaskedFaceComplete", at, (WIDE, 740), inputs, {"seed": 0, **FIXED, **widgets})


def keyframes(lines: str, **widgets: Any) -> Node:
    return Node(
        "keyframes", "ECGANEmotionKeyframes", (FOURTH, TOP), (WIDE, 600), LATENT, {"keyframes": lines, **widgets}
    )


def save(name: str, source: tuple[str, str], prefix: str, at: tuple[int, int], title: str = "") -> Node:
    return Node(name, "SaveImage", at, (WIDE, 420), {"images": source}, {"filename_prefix": prefix}, title)


def batch(name: str, first: str, second: str, at: tuple[int, int]) -> Node:
    return Node(name, "ImageBatch", at, (NARROW, 50), {"image1": (first, "IMAGE"), "image2": (second, "IMAGE")})


def prompt(name: str, text: str, at: tuple[int, int]) -> Node:
    return Node(name, "CLIPTextEncode", at, (WIDE, 150), {"clip": ("checkpoint", "CLIP")}, {"text": text}, name.title())
