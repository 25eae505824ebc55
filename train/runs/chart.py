"""`losses.png`: every loss of a run as a small chart of its own, drawn with nothing but Pillow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ecgan_core.files.replacing import write_image

TITLES = {
    "appearance": "appearance: L1 to the face",
    "perceptual": "perceptual: feature maps",
    "kl": "KL of the latent code",
    "mutual_information": "mutual information: is the emotion read?",
    "diversity": "diversity of samples",
    "emotion": "Q on real faces",
    "adversarial": "G against D",
    "discriminator": "D against G",
    "chroma": "chroma: L1 of colours",
    "palette": "palette: colours that the face has not",
    "shades": "shades: darker and lighter than the truth",
    "gradient_norm": "gradient norm of E and G",
}  # in the order of the charts; a term that a run does not have is left out
COLUMNS, WIDTH, HEIGHT = 3, 400, 230
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 34, 28  # around the curve
PAPER, INK, PALE, CURVE, SMOOTH = (250, 250, 248), (40, 40, 40), (222, 222, 218), (176, 200, 222), (31, 94, 150)
FINE = 2  # drawn at twice the size, and scaled down: Pillow's lines have steps


def write_chart(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Draw the lines of `metrics.jsonl` as a PNG, in one step; without any there is nothing to draw."""
    names = [name for name in TITLES if sum(name in row for row in rows) > 0]
    if not names:
        return
    height = HEIGHT * math.ceil(len(names) / COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * WIDTH * FINE, height * FINE), PAPER)
    for i, name in enumerate(names):
        points = [(row["images"], row[name]) for row in rows if name in row and math.isfinite(row[name])]
        if points:
            corner = (i % COLUMNS * WIDTH, i // COLUMNS * HEIGHT)
            _draw_panel(ImageDraw.Draw(sheet), corner, TITLES[name], points)
    write_image(sheet.reduce(FINE), path, "PNG")


def _draw_panel(
    pen: ImageDraw.ImageDraw, corner: tuple[int, int], title: str, points: list[tuple[float, float]]
) -> None:
    """One curve with its axes: pale as it was logged, dark smoothed."""
    x0, y0 = corner[0] + LEFT, corner[1] + TOP
    x1, y1 = corner[0] + WIDTH - RIGHT, corner[1] + HEIGHT - BOTTOM
    end = max(1.0, max(x for x, _ in points))
    top = highest([y for _, y in points])
    points = [(x, min(y, top)) for x, y in points]
    marks = ticks(min(y for _, y in points), top)
    low, high = marks[0], marks[-1]

    def place(x: float, y: float) -> tuple[float, float]:
        return (FINE * (x0 + (x1 - x0) * x / end), FINE * (y1 - (y1 - y0) * (y - low) / (high - low)))

    font, small = ImageFont.load_default(13 * FINE), ImageFont.load_default(11 * FINE)
    pen.text((FINE * x0, FINE * (corner[1] + 8)), title, INK, font)
    for mark in marks:
        pen.line([place(0, mark), place(end, mark)], PALE, FINE)
        pen.text((FINE * (x0 - 6), place(0, mark)[1]), f"{mark:.4g}", INK, small, anchor="rm")
    for x in ticks(0, end):
        if x <= end:
            pen.text((place(x, low)[0], FINE * (y1 + 5)), count(x), INK, small, anchor="mt")
    _draw_curve(pen, [place(x, y) for x, y in points], CURVE)
    smooth = smoothed([y for _, y in points])
    _draw_curve(pen, [place(x, y) for (x, _), y in zip(points, smooth, strict=True)], SMOOTH)


def _draw_curve(pen: ImageDraw.ImageDraw, places: list[tuple[float, float]], colour: tuple[int, int, int]) -> None:
    for a, b in pairwise(places):
        pen.line([a, b], colour, 2 * FINE)
    x, y = places[-1]
    pen.ellipse((x - 2 * FINE, y - 2 * FINE, x + 2 * FINE, y + 2 * FINE), colour)


def highest(values: Sequence[float]) -> float:
    """The top of the chart: the highest value, but for a few that would press all others flat."""
    usual = sorted(values)[int(0.95 * (len(values) - 1))]
    low = min(values)
    return min(max(values), low + 2 * (usual - low)) if usual > low else max(values)


def smoothed(values: Sequence[float]) -> list[float]:
    """Each value averaged with its neighbours, up to a fortieth of the curve to either side."""
    reach = len(values) // 40
    return [
        sum(values[max(0, i - reach) : i + reach + 1]) / len(values[max(0, i - reach) : i + reach + 1])
        for i in range(len(values))
    ]


def ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers, evenly spaced, from `low` or a little below to `high` or a little above."""
    span = high - low if high > low else max(abs(high), 1.0) * 0.1
    step = 10 ** math.floor(math.log10(span / 2))
    step = next(step * factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, max(last, first + 1) + 1)]


def count(images: float) -> str:
    """A number of images, short: 500, 20k, 1.5M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if images >= size:
            return f"{images / size:.4g}{letter}"
    return f"{images:.4g}"
