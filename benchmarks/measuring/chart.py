"""`bench.png`: a bar for each model on a logarithmic scale, and the curves of growth, drawn with nothing but Pillow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ecgan_core.files.replacing import replacing

from .measure import Curve, rounded

WIDTH, BAR, PANEL, EDGE = 1080, 30, 290, 24
NAMES, FIGURES = 330, 80  # columns beside the bars
PAPER, INK, PALE, OURS, THEIRS = (250, 250, 248), (40, 40, 40), (222, 222, 218), (31, 94, 150), (176, 178, 182)
FINE = 2  # drawn at twice the size, and scaled down: Pillow's lines have steps

Pen = ImageDraw.ImageDraw


def write_chart(bars: Sequence[tuple[str, float]], curves: Sequence[Curve], path: Path) -> None:
    """Draw (name, seconds) and curves as a PNG, in one step; without any there is nothing to draw."""
    if not bars and not curves:
        return
    top = EDGE + (44 + BAR * len(bars) + EDGE if bars else 0)
    sheet = Image.new("RGB", (WIDTH * FINE, (top + (PANEL if curves else 0)) * FINE), PAPER)
    pen = ImageDraw.Draw(sheet)
    if bars:
        _draw_bars(pen, sorted(bars, key=lambda bar: bar[1]))
    for place, curve in enumerate(curves):
        _draw_curve(pen, curve, place * WIDTH // len(curves), top, WIDTH // len(curves))
    with replacing(path) as temporary:
        sheet.reduce(FINE).save(temporary, "PNG")


def _draw_bars(pen: Pen, bars: Sequence[tuple[str, float]]) -> None:
    """The shortest first; each step of the scale is ten times the one before."""
    low = math.floor(math.log10(bars[0][1]))
    high = max(math.ceil(math.log10(bars[-1][1])), low + 1)
    left, right, top = EDGE + NAMES, WIDTH - EDGE - FIGURES, EDGE + 44
    _write(pen, (EDGE, EDGE), "One completion, on a logarithmic scale", 15)

    def place(seconds: float) -> float:
        return left + (right - left) * (math.log10(seconds) - low) / (high - low)

    for power in range(low, high + 1):
        x = place(10.0**power)
        pen.line((x * FINE, (top - 4) * FINE, x * FINE, (top + BAR * len(bars)) * FINE), PALE, FINE)
        _write(pen, (x, top - 18), seconds_text(10.0**power), 11, "mt")
    for row, (name, seconds) in enumerate(bars):
        y = top + row * BAR
        colour = OURS if name.startswith("EC-GAN") else THEIRS
        ends = (left * FINE, (y + 6) * FINE, max(place(seconds), left + 2) * FINE, (y + BAR - 6) * FINE)
        pen.rectangle(ends, colour)
        _write(pen, (left - 10, y + BAR / 2), name, 12, "rm")
        _write(pen, (max(place(seconds), left + 2) + 8, y + BAR / 2), seconds_text(seconds), 12, "lm")


def _draw_curve(pen: Pen, curve: Curve, left: float, top: float, width: float) -> None:
    """Both scales are logarithmic: what grows in proportion is parallel to the pale line."""
    x0, x1, y0, y1 = left + 70, left + width - 24, top + 46, top + PANEL - 40
    xs, ys = [x for x, _ in curve.points], [y for _, y in curve.points]
    span = max(math.log2(max(xs) / xs[0]), math.log2(max(ys) / min(ys)), 1.0)

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = math.log2(x / xs[0]) / span, math.log2(y / min(ys)) / span
        return FINE * (x0 + (x1 - x0) * across), FINE * (y1 - (y1 - y0) * up)

    _write(pen, (left + EDGE, top + 4), f"{curve.name}, by {curve.panel}", 13)
    pen.line([(x0 * FINE, y1 * FINE), (x1 * FINE, y1 * FINE)], PALE, FINE)
    end = min(max(xs) / xs[0], 2**span * min(ys) / ys[0])
    pen.line([place(xs[0], ys[0]), place(xs[0] * end, ys[0] * end)], PALE, 2 * FINE)
    for a, b in pairwise(curve.points):
        pen.line([place(*a), place(*b)], OURS, 2 * FINE)
    for x, y in curve.points:
        px, py = place(x, y)
        pen.ellipse((px - 3 * FINE, py - 3 * FINE, px + 3 * FINE, py + 3 * FINE), OURS)
        _write(pen, (px / FINE - 6, py / FINE - 4), seconds_text(y), 11, "rb")
        _write(pen, (px / FINE, y1 + 6), f"{x:g}", 11, "mt")


def _write(pen: Pen, place: tuple[float, float], text: str, size: int, anchor: str = "la") -> None:
    text = text.replace("²", " px")  # which Pillow's own font lacks
    pen.text((place[0] * FINE, place[1] * FINE), text, INK, ImageFont.load_default(size * FINE), anchor=anchor)


def seconds_text(seconds: float) -> str:
    """Short: 4.2 ms, 310 ms, 2.5 s."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 0.9995 or unit == "µs":
            return f"{rounded(seconds * factor)} {unit}"
    raise AssertionError
