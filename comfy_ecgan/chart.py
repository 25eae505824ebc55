"""A bar chart of probabilities, for the node that reads emotions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

WIDTH, ROW, EDGE = 384, 34, 16
NAMES = 130  # the width of the column of names
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
