"""The two answers that bad input may get: the documented result, or one sentence. All else fails the test."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("nodes", "comfy_ecgan", "ecgan_core", "train")
LONGEST = 1000  # characters that people still read, with a list of emotions or files in it
INTERNAL = re.compile(r"object at 0x|<class |Traceback|unexpected keyword|has no attribute|not subscriptable")


def answer(call: Callable[[], T]) -> T | None:
    """What `call` gives, or None where it refuses in one sentence of ours."""
    try:
        return call()
    except ValueError as problem:
        refusal = problem
    assert is_ours(refusal), f"{type(refusal).__name__} from a library: {refusal}"
    must_be_a_sentence(str(refusal))
    return None


def must_be_a_sentence(text: str) -> None:
    assert text.strip(), "no word about what was wrong"
    assert len(text.splitlines()) == 1, text
    assert len(text) <= LONGEST, f"{len(text)} characters: {text[:200]}…"
    assert not INTERNAL.search(text), text
    text.encode()  # a terminal and a web page have to be able to show it


def is_ours(error: BaseException) -> bool:
    """Whether code of ours raised it, knowing what was wrong, and not a library that we called."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    file = Path(trace.tb_frame.f_code.co_filename) if trace else Path()
    return file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in ROOMS


def same(before: torch.Tensor, after: torch.Tensor) -> bool:
    """Bit for bit, also where a number is none."""
    return before.dtype == after.dtype and before.shape == after.shape and torch.equal(_bits(before), _bits(after))


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().flatten().view(torch.uint8)


def must_be_pictures(image: torch.Tensor, shape: tuple[int, ...]) -> None:
    """An IMAGE, a MASK or pictures as promised: this shape, float32, every value a number in 0..1."""
    assert tuple(image.shape) == shape
    assert image.dtype == torch.float32
    if image.numel():
        low, high = torch.aminmax(image)  # one that is no number makes both none, and no comparison holds
        assert low >= 0
        assert high <= 1
