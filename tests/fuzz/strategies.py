"""Bad input, and input that is unusual but good: pictures, masks, numbers, texts, boxes, and things of other kinds.

A picture is drawn as its shape, its content and a seed, so that an example is small however large the picture is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

SIDES = (1, 2, 3, 8, 17, 40, 64, 90)
CONTENTS = ("noise", "smooth", "black", "white")
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
ODD_DTYPES = (torch.uint8, torch.int32, torch.int64, torch.bool, torch.complex64, torch.float8_e5m2)
SPOTS = (math.nan, math.inf, -math.inf, 1e30, -1e30, 2.0, -0.5, 65504.0)


def filled(shape: tuple[int, ...], content: str, seed: int) -> torch.Tensor:
    """float32 in 0..1, of 8 bits."""
    generator = torch.Generator().manual_seed(seed)
    if content in ("black", "white"):
        return torch.full(shape, float(content == "white"))
    tensor = torch.randint(0, 256, shape, generator=generator).float() / 255
    return tensor if content == "noise" else 0.25 + tensor / 8


sizes = st.tuples(st.sampled_from(SIDES), st.sampled_from(SIDES))
seeds = st.integers(0, 9)


@st.composite
def images(draw: st.DrawFn, counts: Any = (1, 1, 1, 2, 3), size: Any = sizes) -> torch.Tensor:
    """An IMAGE that fits: any size, three or four channels, any float type, however it lies in memory."""
    height, width = draw(size)
    count, channels = draw(st.sampled_from(counts)), draw(st.sampled_from((3, 3, 3, 4)))
    image = filled((count, height, width, channels), draw(st.sampled_from(CONTENTS)), draw(seeds))
    image = image.to(draw(st.sampled_from((*FLOATS[:1] * 4, *FLOATS))))
    layout = draw(st.sampled_from(("plain", "plain", "flipped", "transposed", "expanded")))
    if layout == "flipped":
        return image.flip(1)
    if layout == "transposed":
        return image.transpose(1, 2).contiguous().transpose(1, 2)
    return image[:1].expand(count, -1, -1, -1) if layout == "expanded" else image


@st.composite
def spoilt(draw: st.DrawFn, tensors: st.SearchStrategy[torch.Tensor]) -> torch.Tensor:
    """One of `tensors` with a number in it that should not be there, somewhere or everywhere."""
    tensor = draw(tensors).clone().float()
    place = draw(st.sampled_from(("somewhere", "everywhere")))
    spot = draw(st.sampled_from(SPOTS))
    if place == "everywhere":
        return torch.full_like(tensor, spot)
    tensor.view(-1)[draw(st.integers(0, tensor.numel() - 1))] = spot
    return tensor


@st.composite
def misshapen(draw: st.DrawFn) -> torch.Tensor:
    """A tensor of any shape: none, one or two channels, five; nothing in it; too few or too many dimensions."""
    shape = draw(
        st.one_of(
            st.lists(st.sampled_from((0, 1, 2, 3, 4, 5, 16)), max_size=6).map(tuple),
            st.sampled_from(
                ((1, 16, 16, 1), (1, 16, 16, 2), (1, 16, 16, 5), (0, 16, 16, 3), (1, 0, 16, 3), (16, 16, 3))
            ),
        )
    )
    return filled(shape, "noise", 0).to(draw(st.sampled_from((torch.float32, *ODD_DTYPES))))


@st.composite
def odd_typed(draw: st.DrawFn, tensors: st.SearchStrategy[torch.Tensor]) -> torch.Tensor:
    return (255 * draw(tensors).float()).to(draw(st.sampled_from(ODD_DTYPES)))


@st.composite
def masks_for(draw: st.DrawFn, height: int, width: int, counts: Any = (1, 1, 2)) -> torch.Tensor:
    """A MASK for pictures of a size: full, a box, one pixel, soft; floats or bools; now and then larger."""
    count = draw(st.sampled_from(counts))
    mask = torch.zeros(count, height, width)
    kind = draw(st.sampled_from(("full", "box", "box", "box", "pixel", "soft", "noise", "faint")))
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    bottom, right = draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width))
    if kind == "pixel":
        mask[:, top, left] = 1
    elif kind == "noise":
        mask = filled((count, height, width), "noise", draw(seeds))
        mask[:, top, left] = 1
    elif kind == "full":
        mask += 1
    else:
        mask[:, top:bottom, left:right] = {"soft": 0.5, "faint": 0.06}.get(kind, 1.0)
    form = draw(st.sampled_from(("plain", "plain", "plain", "flat", "bool", "half", "double size")))
    if form == "double size":
        return mask.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    if form == "flat" and count == 1:
        return mask[0]
    return (
        mask.bool()
        if form == "bool" and kind not in ("soft", "noise", "faint")
        else mask.half()
        if form == "half"
        else mask
    )


masks = sizes.flatmap(lambda size: masks_for(*size))

texts = st.one_of(
    st.text(max_size=20),
    st.text(alphabet=st.characters(), max_size=8),  # lone surrogates and control characters too
    st.sampled_from(
        ("", " ", "\0", "a\nb", "../x", "/x", "x/", "x" * 300, "é" * 5000, "😀" * 200, "\ud800", "con", "nan")
    ),
    st.sampled_from(("%year%", "%date:yyyy%", "%", "%%%", "glad", "calm ", "Glad", "glad\u200b", "٣", "1e400")),
)

numbers = st.one_of(
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.sampled_from((0, 1, -1, 2**63, 2**64, 2**64 - 1, -(2**64), 10**400, 1e30, -1e30, 1e-300, 0.5, 3.0, True)),
)

things = st.one_of(  # of a wrong kind, whatever is asked for
    st.none(),
    st.booleans(),
    numbers,
    st.sampled_from(("1", "0.5", "nan", "1e30", "", "glad", "٣")),
    texts,
    st.lists(numbers, max_size=4),
    st.dictionaries(st.text(max_size=3), numbers, max_size=3),
    st.sampled_from(({"samples": torch.zeros(1, 4, 8, 8)}, (), {1}, b"bytes", 1j, object, range(3), np.zeros(3))),
    misshapen(),
)

side_names = st.sampled_from(("x", "y", "width", "height", "x1", "label"))
coordinates = st.one_of(st.integers(-20, 120), numbers)
boxes = st.recursive(
    st.one_of(
        st.fixed_dictionaries(dict.fromkeys(("x", "y", "width", "height"), coordinates)),
        st.tuples(coordinates, coordinates, coordinates, coordinates),
        st.lists(coordinates, max_size=5),
        st.dictionaries(side_names, st.one_of(coordinates, st.none(), texts), max_size=4),
        st.just(torch.tensor([[2.0, 2, 30, 30]])),
        st.just(np.array([[2, 2, 30, 30]])),
        things,
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@st.composite
def box_texts(draw: st.DrawFn) -> str:
    """What may be typed into `face_box`: boxes, nearly boxes, and anything else."""
    number = st.one_of(
        st.integers(-5, 90).map(str), st.sampled_from(("nan", "inf", "1e30", "-0", "1e-200", ".5", "1_0", "٣", ""))
    )
    line = st.lists(number, min_size=3, max_size=5).map(draw(st.sampled_from((", ", " ", ";", "\t", "×"))).join)
    return draw(st.one_of(st.lists(line, max_size=3).map("\n".join), texts))


@st.composite
def mostly(draw: st.DrawFn, good: dict[str, st.SearchStrategy], bad: dict[str, st.SearchStrategy]) -> dict[str, Any]:
    """Good inputs, of which up to two are replaced by bad ones of the same name."""
    inputs = {name: draw(strategy) for name, strategy in good.items()}
    for name in draw(st.lists(st.sampled_from(sorted(bad)), max_size=2, unique=True)):
        inputs[name] = draw(bad[name])
    return inputs
