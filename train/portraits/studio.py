"""A set of portraits on disk: rendered by several processes, and taken up again wherever it was stopped.

    DIR/recipe.yaml             what the set was made with, every value written out
    DIR/EMOTION/IDENTITY.jpg    the same person in every emotion, and in their mixtures if the recipe asks for them
    DIR/index.csv               a row for each picture (see COLUMNS)
    DIR/contact-sheet.jpg       the first people, to look at
    DIR/.rows/IDENTITY.csv      a person's rows of the index, written after all of that person's pictures

Every file appears whole or not at all, and a person counts as done when the rows are there. So a run may be killed at
any moment; the next one does what is missing, and the set comes out the same to the byte.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from tqdm import tqdm

from ecgan_core.files.replacing import replacing, write_image

from .recipe import Recipe, differences, load_recipe, recipe_text
from .sheet import contact_sheet
from .workers import work_through

if TYPE_CHECKING:  # the renderer takes seconds to import: only where there is work to do
    from .portrait import Portrait

RECIPE, INDEX, ROWS, SHEET = "recipe.yaml", "index.csv", ".rows", "contact-sheet.jpg"

# Pixels are counted from the picture's upper left corner; left and right are as seen.
LANDMARKS = ("left_eye", "right_eye", "nose_tip", "left_mouth_corner", "right_mouth_corner")
COLUMNS = (
    *("file", "emotion", "identity", "seed", "intensity", "units"),  # units: a JSON object, weight by face unit
    *("box_x", "box_y", "box_width", "box_height"),
    *(f"{point}_{axis}" for point in LANDMARKS for axis in "xy"),
    "retakes",  # how often the picture was taken again because the face did not come out well
)

SHEET_PEOPLE, SHEET_CELL = 8, 128
FINE_JPEG = 90  # from this quality on, colours are kept at full resolution, as cameras do


class StudioError(ValueError):
    """The set cannot be made or gone on with; the text names the folder and what to do."""


def render_set(
    recipe: Recipe,
    folder: Path,
    count: int,
    size: int,
    workers: int = 1,
    wheel: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Make the set in `folder`, or go on with it, until it has `count` identities; whether it has them all.

    Args:
        count: how many identities; number i has the name `00000` + i and the seed `recipe.seed` + i.
        size: the side of the pictures, in pixels.
        workers: how many processes; each takes under a gigabyte. The pictures do not depend on it.
        wheel: the wheel of the head's data, for machines that cannot download it.
        stop: asked after each person; where it says so, the rest is left for the next time.

    Raises:
        StudioError: the folder holds something else, or a set of another recipe or size.
        WorkerError: a picture could not be made.
        KeyboardInterrupt: Ctrl-C; says how far the set has come.
    """
    _claim(folder, recipe, size)
    missing = [identity for identity in range(count) if not _is_done(folder, identity, recipe)]
    per_person, done = len(recipe.looks), count - len(missing)
    mixtures = f" and {per_person - len(recipe.emotions)} mixtures" if recipe.mixtures else ""
    print(
        f"{count} identities × {len(recipe.emotions)} emotions{mixtures} = {count * per_person} pictures of {size} "
        f"pixels in {folder}"
    )
    if done:
        print(f"{done} identities are there already")
    task = (recipe, folder, size, wheel)
    progress = tqdm(total=count * per_person, initial=done * per_person, unit="picture", smoothing=0.1)
    try:
        with progress, closing(work_through(missing, workers, person_photographer, task)) as finished:
            for _ in finished:
                done += 1
                progress.update(per_person)
                if done < count and stop():
                    break
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"stopped with {done} of {count} identities done; the same command goes on from there"
        ) from None
    finally:
        _sweep(folder, recipe)
    if done < count:
        print(f"the time is up with {done} of {count} identities done; the same command goes on from there")
        return False
    write_index(folder, recipe)
    write_contact_sheet(folder, recipe)
    print(f"wrote {folder / INDEX} and {folder / SHEET}")
    return True


def _claim(folder: Path, recipe: Recipe, size: int) -> None:
    """Make the folder a set's, by its recipe, or see that it is this one's."""
    kept = folder / RECIPE
    if kept.is_file():
        changed = differences(load_recipe(kept), recipe)
        before = _size_of(folder)
        if before not in (None, size):
            changed.append(f"size, {before} pixels there and {size} now")
        if changed:
            raise StudioError(
                f"{folder} holds portraits of another recipe ({', '.join(changed)}); give another --out, or "
                f"go on with the recipe that is in it: {kept}"
            )
    elif folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise StudioError(f"{folder} holds other files and no set of portraits; give an empty or a new folder")
    else:
        with replacing(kept) as temporary:
            Path(temporary).write_text(recipe_text(recipe), encoding="utf-8")


def _size_of(folder: Path) -> int | None:
    """The side of the set's pictures, None if it has none yet."""
    picture = next(folder.glob("*/*.jpg"), None)
    if picture is None:
        return None
    with Image.open(picture) as image:
        return image.width


# One person -----------------------------------------------------------------------------------------------------------


def person_photographer(recipe: Recipe, folder: Path, size: int, wheel: Path | None) -> Callable[[int], None]:
    """The function that photographs identity i: its pictures and, after them, its rows are on disk when it returns."""
    from .head.mesh import load_head
    from .portrait import photograph

    head = load_head(wheel)

    def photograph_person(identity: int) -> None:
        rows = []
        seed = recipe.seed + identity
        for emotion, portrait in photograph(head, recipe, seed, size):
            file = f"{emotion}/{identity_name(identity)}.jpg"
            save_picture(portrait, folder / file)
            rows.append(row_of(portrait, file, emotion, identity_name(identity), seed))
        write_rows(_rows_file(folder, identity), rows)

    return photograph_person


def identity_name(identity: int) -> str:
    return f"{identity:05d}"


def _rows_file(folder: Path, identity: int) -> Path:
    return folder / ROWS / f"{identity_name(identity)}.csv"


def _is_done(folder: Path, identity: int, recipe: Recipe) -> bool:
    """Whether a person's rows and pictures are all there; a picture that somebody deleted is taken again."""
    files = (folder / emotion / f"{identity_name(identity)}.jpg" for emotion in recipe.looks)
    return _rows_file(folder, identity).is_file() and all(file.is_file() for file in files)


def save_picture(portrait: Portrait, path: Path) -> None:
    """Write a portrait as a JPEG of its own quality."""
    quality = portrait.jpeg_quality
    subsampling = "4:4:4" if quality >= FINE_JPEG else "4:2:0"
    write_image(Image.fromarray(portrait.image), path, "JPEG", quality=quality, subsampling=subsampling)


def row_of(portrait: Portrait, file: str, emotion: str, identity: str, seed: int) -> dict[str, str]:
    """A picture's row of the index, by COLUMNS."""
    units = {unit: round(float(weight), 4) for unit, weight in sorted(portrait.units.items())}
    places = [*portrait.face_box, *(coordinate for point in portrait.landmarks for coordinate in point)]
    values = [
        *(file, emotion, identity, seed, f"{portrait.intensity:.4f}", json.dumps(units)),
        *(f"{place:.2f}" for place in places),
        portrait.retakes,
    ]
    return {column: str(value) for column, value in zip(COLUMNS, values, strict=True)}


# The whole set --------------------------------------------------------------------------------------------------------


def write_rows(path: Path, rows: Iterable[dict[str, str]]) -> None:
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_index(folder: Path, recipe: Recipe) -> None:
    """Gather the rows of all people: by identity, then by look in the recipe's order."""
    people = (read_rows(path) for path in sorted((folder / ROWS).glob("*.csv")))
    order = {emotion: i for i, emotion in enumerate(recipe.looks)}
    write_rows(folder / INDEX, (row for rows in people for row in sorted(rows, key=lambda row: order[row["emotion"]])))


def write_contact_sheet(folder: Path, recipe: Recipe) -> None:
    """The first people of the set, each with every look."""
    names = [path.stem for path in sorted((folder / ROWS).glob("*.csv"))[:SHEET_PEOPLE]]
    people = [[_small(folder / emotion / f"{name}.jpg") for emotion in recipe.looks] for name in names]
    sheet = contact_sheet(people, list(recipe.looks), names, SHEET_CELL)
    write_image(sheet, folder / SHEET, "JPEG", quality=90)


def _small(path: Path) -> Image.Image:
    """A picture as the sheet shows it. Its file is closed again: a system may let a process open but 256."""
    with Image.open(path) as picture:
        return picture.convert("RGB").resize((SHEET_CELL, SHEET_CELL), Image.Resampling.LANCZOS)


def _sweep(folder: Path, recipe: Recipe) -> None:
    """Remove what killed processes had begun to write."""
    for inside in (folder, folder / ROWS, *(folder / emotion for emotion in recipe.looks)):
        for unfinished in inside.glob(".*.part"):
            unfinished.unlink(missing_ok=True)
