"""What is connected to a node, held against the node's own schema before anything is done with it.

ComfyUI checks what is typed into a widget; what comes over a wire it hands on as it is, and some packs' wires fit every
socket. So each input is looked at here once: its kind, its range, and whether all of a tensor's values are numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import wraps
from numbers import Integral, Real
from typing import Any

import torch
from comfy_api.latest import io

from ecgan_core.words import kind, shown

from .models import HostModel
from .sockets import CompletedPortraits, EmotionsOverTime, KeyframesSocket, LatentSocket, ModelSocket, VectorSocket

PICTURE_DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
MASK_DTYPES = (*PICTURE_DTYPES, torch.bool, torch.uint8, torch.int32, torch.int64)


def checked(execute: Callable) -> Callable:
    """A node's `execute` whose inputs are what its schema says, or a ValueError with one sentence about the first."""

    @wraps(execute)
    def execute_checked(cls: type[io.ComfyNode], **inputs: Any) -> io.NodeOutput:
        return execute(cls, **_fitting(cls.define_schema().inputs, inputs))

    return execute_checked


def _fitting(slots: Iterable[io.Input], inputs: dict[str, Any]) -> dict[str, Any]:
    for slot in slots:
        if slot.id not in inputs:
            continue
        if inputs[slot.id] is None and slot.optional:  # nothing came over its wire
            inputs[slot.id] = getattr(slot, "default", None)
        if inputs[slot.id] is not None or not slot.optional:
            inputs[slot.id] = _fit(slot, inputs[slot.id])
    return inputs


def _fit(slot: io.Input, value: Any) -> Any:
    if isinstance(slot, io.Int.Input | io.Float.Input):
        return _number(slot, value)
    if isinstance(slot, io.Boolean.Input):
        return bool(_is(slot, value, Real, "true or false"))
    if isinstance(slot, io.String.Input | io.Combo.Input):
        return _is(slot, value, str, "a text")
    if isinstance(slot, io.Image.Input):
        return _tensor(slot, value, PICTURE_DTYPES, "pictures of floating-point numbers in 0..1", "IMAGE")
    if isinstance(slot, io.Mask.Input):
        return value if value is None else _tensor(slot, value, MASK_DTYPES, "a mask of numbers in 0..1", "MASK")
    if isinstance(slot, ModelSocket.Input):
        return _is(slot, value, HostModel, "a model of Load EC-GAN Model")
    if isinstance(slot, LatentSocket.Input):
        return _is(slot, value, CompletedPortraits, "the latent of Complete Masked Face or Shift Emotion")
    if isinstance(slot, VectorSocket.Input):
        from ecgan_core.emotions.vectors import EmotionVector

        return _is(slot, value, EmotionVector, "an emotion vector of Mix Emotions, Build or Load Emotion Vector")
    if isinstance(slot, KeyframesSocket.Input):
        return _is(slot, value, EmotionsOverTime, "the keyframes of Emotion Keyframes")
    return value  # boxes have many forms: `boxes` knows them


def _is(slot: io.Input, value: Any, wanted: type, due: str) -> Any:
    if not isinstance(value, wanted):
        raise ValueError(f"the input '{slot.id}' must be {due}, but it is {kind(value)}; connect or type one")
    return value


def _number(slot: Any, value: Any) -> float | int:
    whole = isinstance(slot, io.Int.Input)
    low, high = slot.min, slot.max
    due = f"a {'whole ' if whole else ''}number from {low} to {high}"
    fits = isinstance(value, Integral if whole else Real) and low <= value <= high  # NaN is in no range
    if not fits:
        raise ValueError(f"the input '{slot.id}' must be {due}, but it is {shown(value)}; give one")
    return int(value) if whole else float(value)


def _tensor(slot: io.Input, value: Any, dtypes: tuple[torch.dtype, ...], due: str, output: str) -> torch.Tensor:
    wrong = ""
    if not isinstance(value, torch.Tensor):
        wrong = f"it is {kind(value)}"
    elif value.dtype not in dtypes:
        wrong = f"its values are {str(value.dtype).removeprefix('torch.')}"
    elif value.numel() and not all(map(math.isfinite, (float(end) for end in torch.aminmax(value)))):
        wrong = "some of its values are no numbers (NaN or infinity)"
    if wrong:
        raise ValueError(
            f"the input '{slot.id}' must be {due}, but {wrong}; connect the {output} output of another node"
        )
    return value
