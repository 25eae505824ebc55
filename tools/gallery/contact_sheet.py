"""Pictures side by side on one sheet, with their captions."""

from __future__ import annotations

from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

CELL = 256
GAP = 12
CAPTION = 26
AROUND_HOLE = 3.4  # how much wider than the hole the detail on the sheet is
INK, PAPER = (30, 30, 30), (250, 250, 248)


@dataclass
class Row:
    """One picture (RGBA, its hole transparent) and the captioned pictures made from it, all of its size."""

    title: str
    picture: Image.Image
    cells: list[tuple[str, Image.Image]] = field(default_factory=list)


def contact_sheet(rows: list[Row]) -> Image.Image:
    """Each row shows its input, the input with its hole, then its cells; small faces are cropped to be seen."""
    captions = [[("input", _visible(row)), ("hole", _with_hole(row)), *row.cells] for row in rows]
    columns = max(len(cells) for cells in captions)
    sheet = Image.new("RGB", (columns * (CELL + GAP) + GAP, len(rows) * (CELL + CAPTION + GAP) + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=15)
    for y, (row, cells) in enumerate(zip(rows, captions, strict=True)):
        box = detail_box(row.picture)
        for x, (caption, image) in enumerate(cells):
            left, top = GAP + x * (CELL + GAP), GAP + y * (CELL + CAPTION + GAP)
            text = f"{row.title}: {caption}" if x == 0 else caption
            draw.text((left, top + 4), text, fill=INK, font=font)
            detail = image.convert("RGB").resize((CELL, CELL), Image.Resampling.LANCZOS, box=box)
            sheet.paste(detail, (left, top + CAPTION))
    return sheet


def detail_box(picture: Image.Image) -> tuple[int, int, int, int]:
    """The square of an RGBA picture to show: around its hole, inside the picture."""
    width, height = picture.size
    hole = picture.getchannel("A").point(lambda alpha: 255 - alpha).getbbox() or (0, 0, width, height)
    side = min(width, height, round(AROUND_HOLE * max(hole[2] - hole[0], hole[3] - hole[1])))
    left = min(max(0, (hole[0] + hole[2] - side) // 2), width - side)
    top = min(max(0, (hole[1] + hole[3] - side) // 2), height - side)
    return left, top, left + side, top + side


def _visible(row: Row) -> Image.Image:
    return row.picture.convert("RGB")


def _with_hole(row: Row) -> Image.Image:
    shown = Image.new("RGB", row.picture.size, PAPER)
    shown.paste(row.picture.convert("RGB"), mask=row.picture.getchannel("A"))
    return shown
