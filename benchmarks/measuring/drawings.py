"""Drawn faces, from a smiley to a face with all its features: what a finder of photographed faces must refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw

SIDES = (24, 32, 48, 64, 100, 200, 400)
PAPERS = ((255, 255, 255), (120, 140, 160), (30, 30, 30))
SIZE = 512  # of the pictures
Colour = str | tuple[int, int, int]
FINER = 2  # they are drawn larger, so that their edges are smooth


class Pen:
    """Draws in a square of its own, in shares of its side."""

    def __init__(self, draw: ImageDraw.ImageDraw, side: float):
        self.draw, self.side, self.start = draw, side, FINER * SIZE / 2 - side / 2
        self.width = max(1, round(0.03 * side))

    def at(self, *shares: float) -> tuple[float, ...]:
        return tuple(self.start + share * self.side for share in shares)

    def oval(
        self, x: float, y: float, across: float, down: float, fill: Colour | None, line: Colour | None = None
    ) -> None:
        ends = self.at(x - across, y - down, x + across, y + down)
        self.draw.ellipse(ends, fill=fill, outline=line, width=self.width // 2 or 1)

    def arc(self, ends: tuple[float, ...], start: int, end: int, fill: Colour) -> None:
        self.draw.arc(self.at(*ends), start, end, fill=fill, width=self.width)


def smiley(pen: Pen) -> None:
    pen.oval(0.5, 0.5, 0.5, 0.5, (255, 210, 40), (60, 40, 0))
    for x in (0.34, 0.66):
        pen.oval(x, 0.38, 0.05, 0.09, (40, 20, 0))
    pen.arc((0.2, 0.2, 0.8, 0.8), 25, 155, (60, 30, 0))


def outlined(pen: Pen) -> None:
    pen.oval(0.5, 0.5, 0.5, 0.5, None, "black")
    for x in (0.35, 0.65):
        pen.oval(x, 0.4, 0.05, 0.05, "black")
    pen.arc((0.25, 0.3, 0.75, 0.8), 20, 160, "black")


def grinning(pen: Pen) -> None:
    pen.oval(0.5, 0.5, 0.5, 0.5, (255, 200, 60))
    for x in (0.33, 0.67):
        pen.oval(x, 0.38, 0.07, 0.1, "white", "black")
        pen.oval(x, 0.4, 0.03, 0.05, "black")
    pen.draw.chord(pen.at(0.22, 0.3, 0.78, 0.85), 10, 170, fill=(120, 20, 20))
    pen.draw.chord(pen.at(0.27, 0.45, 0.73, 0.7), 10, 170, fill="white")


def cartoon(pen: Pen) -> None:
    """With the proportions of a person: the finder's networks take it for one without a doubt."""
    pen.oval(0.5, 0.5, 0.42, 0.5, (240, 200, 170), (90, 60, 40))
    for x in (0.34, 0.66):
        pen.oval(x, 0.4, 0.09, 0.05, "white", "black")
        pen.oval(x, 0.4, 0.035, 0.045, (70, 50, 30))
        pen.arc((x - 0.11, 0.25, x + 0.11, 0.38), 200, 340, (60, 40, 20))
    pen.draw.line([pen.at(0.5, 0.42), pen.at(0.46, 0.6), pen.at(0.53, 0.6)], fill=(150, 100, 80), width=pen.width)
    pen.draw.chord(pen.at(0.36, 0.6, 0.64, 0.82), 10, 170, fill=(190, 60, 70), outline=(90, 30, 30))


STYLES: tuple[Callable[[Pen], None], ...] = (smiley, outlined, grinning, cartoon)


def drawing(style: Callable[[Pen], None], side: int, paper: tuple[int, int, int]) -> Image.Image:
    """A drawn face `side` pixels wide in the middle of a picture of 512 by 512."""
    image = Image.new("RGB", (FINER * SIZE, FINER * SIZE), paper)
    style(Pen(ImageDraw.Draw(image), FINER * side))
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def drawings() -> Iterator[tuple[np.ndarray, int]]:
    """Pictures uint8 [512,512,3] of every style, size and paper, and the side of the face in them."""
    for style in STYLES:
        for side in SIDES:
            for paper in PAPERS:
                yield np.asarray(drawing(style, side, paper)), side
