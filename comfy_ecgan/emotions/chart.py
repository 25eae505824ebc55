"""Charts: bars of probabilities, for the node that reads emotions, and curves of their weights over frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

WIDTH, ROW, EDGE = 384, 34, 16
NAMES = 130  # the width of the column of names
CURVES = 160  # height of the curves' field
COLOURS = ("#f0a04b", "#5aa9e6", "#7fc97f", "#e06c9f", "#b39ddb", "#d4c75a", "#6fd0c5", "#c98d6b")
PAPER, INK, BAR, LIKELIEST, TRACK = "#1e1e22", "#e8e8ea", "#6b7a99", "#f0a04b", "#2e2e34"


def bar_chart(probabilities: Mapping[str, float]) -> torch.Tensor:
    """One bar for each name, in the given order and the largest in another colour: a picture [3,H,384] in 0..1.

    Where all are 0 nothing was read, and there are no bars.
    """
    height = 2 * EDGE + ROW * len(probabilities)
    chart = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(chart)
    font = ImageFont.load_default(size=16)
    left, right = EDGE + NAMES, WIDTH - EDGE - 52
    for row, (name, share) in enumerate(probabilities.items()):
        top, middle = EDGE + row * ROW, EDGE + row * ROW + ROW // 2
        colour = LIKELIEST if share == max(probabilities.values()) else BAR
        draw.text((left - 10, middle), _shortened(name, font), fill=INK, font=font, anchor="rm")
        draw.rounded_rectangle((left, top + 7, right, top + ROW - 7), 4, fill=TRACK)
        if not any(probabilities.values()):
            continue
        draw.rounded_rectangle((left, top + 7, left + max(3, share * (right - left)), top + ROW - 7), 4, fill=colour)
        draw.text((WIDTH - EDGE, middle), f"{share:.0%}", fill=INK, font=font, anchor="rm")
    return torch.from_numpy(np.asarray(chart).copy()).permute(2, 0, 1).float() / 255


def _shortened(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """`name`, or as much of it as fits into its column."""
    short = name
    while font.getlength(short) > NAMES - 10 and len(short) > 2:
        short = f"{short.rstrip('…')[:-1]}…"
    return short


def line_chart(weights: Sequence[Mapping[str, float]]) -> torch.Tensor:
    """A curve for each emotion over the frames, their names below: a picture [3,H,384] in 0..1.

    Args:
        weights: of each frame, the weight of each emotion; one that is not named is at 0.
    """
    names = list(dict.fromkeys(name for of_frame in weights for name in of_frame))
    font = ImageFont.load_default(size=14)
    chart = Image.new("RGB", (WIDTH, CURVES + 3 * EDGE + 20 * ((len(names) + 1) // 2)), PAPER)
    draw = ImageDraw.Draw(chart)
    values = [[of_frame.get(name, 0.0) for of_frame in weights] for name in names]
    low, high = (end(0.0, 1.0, *(value for curve in values for value in curve)) for end in (min, max))

    def place(frame: int, value: float) -> tuple[float, float]:
        across = EDGE + 24 + frame / max(1, len(weights) - 1) * (WIDTH - 2 * EDGE - 24)
        return across, EDGE + (high - value) / (high - low) * CURVES

    for level in sorted({low, 0.0, 1.0, high}):
        left, height = place(0, level)
        draw.line((left, height, *place(len(weights) - 1, level)), fill=TRACK)
        draw.text((left - 6, height), f"{level:.3g}", fill=INK, font=font, anchor="rm")
    for number, (name, curve) in enumerate(zip(names, values, strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        points = [place(frame, value) for frame, value in enumerate(curve)]
        draw.line([*points, points[-1]] if len(points) == 1 else points, fill=colour, width=3, joint="curve")
        left, top = EDGE + (WIDTH // 2 - EDGE) * (number % 2), CURVES + 2 * EDGE + 20 * (number // 2)
        draw.line((left, top + 8, left + 18, top + 8), fill=colour, width=4)
        draw.text((left + 26, top + 8), _shortened(name, font), fill=INK, font=font, anchor="lm")
    return torch.from_numpy(np.asarray(chart).copy()).permute(2, 0, 1).float() / 255
