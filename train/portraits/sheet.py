"""Contact sheets: a row for each person, a column for each emotion, its name above it."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

GAP = 8
LINE = 22  # pixels, of a caption
TEXT, SMALLEST_TEXT = 14, 8  # pixels
INK, PAPER = (30, 30, 30), (250, 250, 248)

# Pillow's own font has Latin letters only. For names in other scripts, the first of these that the system has.
FONTS = ("NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "msyh.ttc", "meiryo.ttc", "PingFang.ttc", "DejaVuSans.ttf")


def contact_sheet(
    people: Sequence[Sequence[Image.Image]], emotions: Sequence[str], names: Sequence[str], cell: int
) -> Image.Image:
    """All pictures in squares of `cell` pixels.

    Args:
        people: for each person, a picture of each emotion, in the order of `emotions`.
        names: of the people, written to the left of their rows.
    """
    margin = 3 * LINE
    width, height = margin + len(emotions) * (cell + GAP), LINE + len(people) * (cell + GAP)
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, emotion in enumerate(emotions):
        _write(pen, emotion, margin + column * (cell + GAP) + cell // 2, LINE // 2, cell)
    for row, (pictures, name) in enumerate(zip(people, names, strict=True)):
        top = LINE + row * (cell + GAP)
        _write(pen, name, margin // 2, top + cell // 2, margin - GAP)
        for column, picture in enumerate(pictures):
            shown = picture.convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS)
            sheet.paste(shown, (margin + column * (cell + GAP), top))
    return sheet


def _write(pen: ImageDraw.ImageDraw, text: str, x: int, y: int, width: int) -> None:
    """Text centred at x, y: smaller, then shortened, until it fits into `width` pixels."""
    size = TEXT
    while pen.textlength(text, _font(text, size)) > width and size > SMALLEST_TEXT:
        size -= 1
    while pen.textlength(text, _font(text, size)) > width and len(text) > 1:
        text = text.rstrip("…")[:-1] + "…"
    pen.text((x, y), text, INK, _font(text, size), anchor="mm")


def _font(text: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if any(ord(letter) > 0x24F and letter != "…" for letter in text):
        for name in FONTS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    return ImageFont.load_default(size)
