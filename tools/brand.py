"""Draws the pack's icon and banner, as the registry shows them: `python -m tools.brand`.

A face whose mouth is cut out, and in the hole a slider: dragged to the right it is a smile. Drawn with Pillow and its
own font, so that every machine draws the same files.
"""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tools.host import ROOT

FOLDER = ROOT / "docs" / "brand"
FINE = 4  # drawn so much larger, and scaled down: Pillow's lines have hard edges

NIGHT, DUSK = (24, 19, 44), (74, 48, 122)
SKIN, SHADE, COAT, HAIR = (252, 222, 196), (233, 190, 160), (255, 116, 98), (132, 62, 58)
INK, TRACK, LIGHT = (44, 31, 66), (178, 166, 202), (255, 252, 248)
CHECKS = (255, 252, 248), (228, 220, 236)  # what a picture editor shows where there is no picture

Point = tuple[float, float]


class Canvas:
    """A picture in units of the finished one; `at(x, y, scale)` moves the origin for what is drawn next."""

    def __init__(self, width: int, height: int):
        self.image = _backdrop(width * FINE, height * FINE)
        self.draw = ImageDraw.Draw(self.image)
        self.at(0, 0)

    def at(self, x: float, y: float, scale: float = 1.0) -> None:
        self.x, self.y, self.scale = x, y, scale

    def _px(self, x: float, y: float) -> Point:
        return (self.x + x * self.scale) * FINE, (self.y + y * self.scale) * FINE

    def _length(self, length: float) -> int:
        return max(1, round(length * self.scale * FINE))

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: tuple[int, ...]) -> None:
        self.draw.ellipse([*self._px(x - rx, y - ry), *self._px(x + rx, y + ry)], fill=fill)

    def box(self, left: float, top: float, right: float, bottom: float, radius: float, fill: tuple[int, ...]) -> None:
        corners = [*self._px(left, top), *self._px(right, bottom)]
        self.draw.rounded_rectangle(corners, self._length(radius), fill=fill)

    def shape(self, points: list[Point], fill: tuple[int, ...]) -> None:
        self.draw.polygon([self._px(*point) for point in points], fill=fill)

    def stroke(self, points: list[Point], width: float, fill: tuple[int, ...]) -> None:
        """A line with round ends and corners."""
        pixels = [self._px(*point) for point in points]
        radius = self._length(width) / 2
        self.draw.line(pixels, fill=fill, width=self._length(width))
        for x, y in pixels:
            self.draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)

    def text(self, x: float, y: float, words: str, size: float, fill: tuple[int, ...]) -> None:
        self.draw.text(self._px(x, y), words, fill=fill, font=ImageFont.load_default(self._length(size)), anchor="ls")

    def save(self, file: Path) -> None:
        width, height = self.image.size
        small = self.image.resize((width // FINE, height // FINE), Image.Resampling.LANCZOS)
        small.save(file, optimize=True)


def _backdrop(width: int, height: int) -> Image.Image:
    """From dusk above to night below."""
    column = Image.new("RGB", (1, height))
    for y in range(height):
        share = y / (height - 1)
        column.putpixel((0, y), tuple(round(a + (b - a) * share) for a, b in zip(DUSK, NIGHT, strict=True)))
    return column.resize((width, height))


def bend(left: float, right: float, y: float, depth: float, until: float = 1.0) -> list[Point]:
    """A mouth from `left` to `right`, its middle `depth` below its ends; only the first part, `until` 0..1."""
    steps = 48
    return [
        (left + (right - left) * t, y + depth * math.sin(math.pi * t))
        for t in (until * step / steps for step in range(steps + 1))
    ]


def curve(start: Point, towards: Point, end: Point) -> list[Point]:
    """A quadratic Bézier curve."""
    points = []
    for t in (step / 24 for step in range(25)):
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        points.append((a * start[0] + b * towards[0] + c * end[0], a * start[1] + b * towards[1] + c * end[1]))
    return points


def portrait(canvas: Canvas, mood: float, knob: float) -> None:
    """Head and shoulders in a square of 400, its mouth a slider in a hole.

    Args:
        mood: −1 the corners of the mouth hang, 1 they are up; the brows agree.
        knob: where the slider's knob is, 0..1.
    """
    canvas.ellipse(200, 182, 134, 152, HAIR)
    canvas.box(66, 120, 334, 316, 56, HAIR)
    canvas.ellipse(200, 462, 176, 124, COAT)
    canvas.box(160, 290, 240, 376, 38, SHADE)
    canvas.ellipse(200, 206, 110, 134, SKIN)
    fringe = [*curve((84, 210), (138, 116), (236, 90)), *curve((236, 90), (302, 116), (318, 210))]
    fringe += [(310, 120), (270, 60), (200, 44), (130, 60), (90, 120)]  # all of these inside of the hair
    canvas.shape(fringe, HAIR)
    for side in (-1, 1):
        x = 200 + side * 46
        canvas.ellipse(x, 188, 11, 15, INK)
        canvas.ellipse(x + 4, 183, 4, 5, LIGHT)
        canvas.ellipse(200 + side * 74, 224, 17, 12, (255, 190, 164))
        # Happy brows are high and round; of sad ones the outer ends hang.
        hang = 0.3 * max(0.0, -mood)
        brow = [(a, b + hang * side * (a - x)) for a, b in bend(x - 22, x + 22, 158 - 4 * mood, -9)]
        canvas.stroke(brow, 7, INK)
    hole = (128, 238, 272, 314)
    checks(canvas, hole, 22)
    dashes(canvas, hole, 22)
    y, depth = 276 - 12 * mood, 26 * mood
    canvas.stroke(bend(150, 250, y, depth), 13, TRACK)
    canvas.stroke(bend(150, 250, y, depth, until=knob), 13, COAT)
    knob_x, knob_y = bend(150, 250, y, depth, until=knob)[-1]
    canvas.ellipse(knob_x, knob_y, 19, 19, COAT)
    canvas.ellipse(knob_x, knob_y, 11, 11, LIGHT)


def checks(canvas: Canvas, box: tuple[float, float, float, float], radius: float, side: float = 18) -> None:
    """A chequered rounded box: nothing is here."""
    canvas.box(*box, radius, CHECKS[0])
    left, top, right, bottom = box
    for row in range(math.ceil((bottom - top) / side)):
        for column in range(row % 2, math.ceil((right - left) / side), 2):
            x, y = left + column * side, top + row * side
            far, low = min(x + side, right), min(y + side, bottom)
            in_corner = (x < left + side or far > right - side) and (y < top + side or low > bottom - side)
            if not in_corner:
                canvas.shape([(x, y), (far, y), (far, low), (x, low)], CHECKS[1])


def dashes(canvas: Canvas, box: tuple[float, float, float, float], radius: float) -> None:
    """The dashed outline that marks a selection, along a rounded box."""
    left, top, right, bottom = box
    outline: list[Point] = []
    for x, y, start in ((right, top, -90), (right, bottom, 0), (left, bottom, 90), (left, top, 180)):
        centre = (x - radius if x == right else x + radius, y + radius if y == top else y - radius)
        for angle in range(start, start + 91, 10):
            turn = math.radians(angle)
            outline.append((centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn)))
    outline.append(outline[0])
    for number, dash in enumerate(pieces(outline, 11)):
        if number % 2 == 0:
            canvas.stroke(dash, 4, INK)


def pieces(line: list[Point], length: float) -> list[list[Point]]:
    """A line cut into pieces of about the same length."""
    found, piece, left = [], [line[0]], length
    for end in line[1:]:
        while (gap := math.dist(piece[-1], end)) > left:
            share = left / gap
            x, y = piece[-1]
            cut = (x + (end[0] - x) * share, y + (end[1] - y) * share)
            found.append([*piece, cut])
            piece, left = [cut], length
        left -= math.dist(piece[-1], end)
        piece.append(end)
    return [*found, piece]


def icon() -> Canvas:
    canvas = Canvas(400, 400)
    canvas.at(-18, -12, 1.09)
    portrait(canvas, mood=1.0, knob=0.74)
    return canvas


def banner() -> Canvas:
    """Three times the same person, sadder to happier, and what the pack is called."""
    canvas = Canvas(1344, 576)
    for number, (mood, knob) in enumerate(((-0.9, 0.14), (0.1, 0.5), (1.0, 0.86))):
        canvas.at(500 + number * 262, 84, 0.84)
        portrait(canvas, mood, knob)
    canvas.at(0, 0)
    canvas.box(0, 420, 1344, 580, 0, NIGHT)
    canvas.stroke([(676, 492), (1200, 492)], 10, TRACK)
    canvas.stroke([(676, 492), (1122, 492)], 10, COAT)
    canvas.ellipse(1122, 492, 25, 25, COAT)
    canvas.ellipse(1122, 492, 14, 14, LIGHT)
    canvas.text(84, 262, "EC-GAN", 112, LIGHT)
    canvas.text(88, 324, "Emotion-controllable", 42, SKIN)
    canvas.text(88, 378, "face completion", 42, SKIN)
    return canvas


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    icon().save(FOLDER / "icon.png")
    banner().save(FOLDER / "banner.png")


if __name__ == "__main__":
    main()
