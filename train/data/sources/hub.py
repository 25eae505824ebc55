"""A data set of the Hugging Face Hub, fetched once into a folder of pictures with an `index.csv`.

Only a recipe that names one (`path: hub:OWNER/NAME@REVISION`) comes here, and only the first time: what was fetched
lies in the user's cache folder, and training needs neither the network nor `datasets` after that. Remove the folder to
fetch it again.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

from ecgan_core.files.disk import making_folder, writing

from ...cache_folder import ELSEWHERE, cache_folder
from ...config import Source
from ..cache import progress
from .row import DataError, value_of

HUB = "hub:"
NAME = re.compile(r"[\w.-]+/[\w.-]+")
KINDS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"RIFF": ".webp"}


def fetched(source: Source) -> Path:
    """The folder of a Hub source's split (the source's `use`); fetched first if it is not there.

    Raises:
        DataError: the name is none, `datasets` is not installed, the Hub does not answer, or has no such split or
            columns.
    """
    name, _, revision = source.path[len(HUB) :].partition("@")
    if not NAME.fullmatch(name):
        raise DataError(f"{source.path!r} names no data set; write {HUB}OWNER/NAME or {HUB}OWNER/NAME@REVISION")
    columns = hashlib.sha256(repr(sorted(source.columns.items())).encode()).hexdigest()[:8]
    readable = re.sub(r"[^\w.-]+", "-", f"{name}@{revision or 'main'}-{source.use}")
    folder = cache_folder() / "hub" / f"{readable}-{columns}"
    if not (folder / "index.csv").is_file():
        keep(_load(name, revision or None, source.use), source, folder)
    return folder


def keep(dataset: Any, source: Source, folder: Path) -> None:
    """Write a `datasets.Dataset` as a folder of its pictures, unchanged, with an `index.csv`; whole or not at all.

    Raises:
        DataError: it has no column of pictures or of emotions, or a picture is missing.
    """
    import datasets

    picture, emotion = (_column(dataset, role, source) for role in ("picture", "emotion"))
    if isinstance(dataset.features.get(picture), datasets.Image):
        dataset = dataset.cast_column(picture, datasets.Image(decode=False))
    names = getattr(dataset.features.get(emotion), "names", None)  # of numbered classes
    with writing(folder, ELSEWHERE), making_folder(folder) as made:
        (made / "pictures").mkdir()
        with (made / "index.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["file", "emotion", "identity", "use"])
            for number, sample in enumerate(progress(dataset, "writing", len(dataset))):
                label = value_of(sample, "emotion", source)[1]
                if label is None or label == -1:  # a row without a label, as `datasets` writes it
                    continue
                data = _bytes(value_of(sample, "picture", source)[1], f"row {number} of {source.path}")
                kind = next((suffix for start, suffix in KINDS.items() if data.startswith(start)), ".png")
                written = f"pictures/{number:08d}{kind}"
                (made / written).write_bytes(data)
                identity = value_of(sample, "identity", source)[1]
                table.writerow(
                    [written, names[label] if names else label, "" if identity is None else identity, source.use]
                )
        shutil.rmtree(folder, ignore_errors=True)  # what a crash may have left there
        made.replace(folder)


def _load(name: str, revision: str | None, split: str) -> Any:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise DataError(
            f"{HUB}{name} is on the Hugging Face Hub, which needs the package {error.name}; install it with the `hub` "
            "extra, as in `pip install 'comfy-ecgan[hub]'`"
        ) from error
    try:
        return datasets.load_dataset(name, revision=revision, split=split)
    except Exception as error:  # the Hub, the network and its client fail in ways of their own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"cannot fetch the split {split!r} of {HUB}{name} ({reason}); check the name, `use` (the split) and the "
            "connection"
        ) from error


def _column(dataset: Any, role: str, source: Source) -> str:
    """The column that a role is found in, going by the first rows: a picture or label may be missing in some."""
    for i in range(min(len(dataset), 100)):
        sample = dataset[i]
        if column := value_of(sample, role, source)[0]:
            return column
    raise DataError(
        f"{source.path} has no column for the {role}; its columns are {', '.join(dataset.column_names)}; say which in "
        f"the recipe, as in columns: {{{role}: {dataset.column_names[-1] if dataset.column_names else 'NAME'}}}"
    )


def _bytes(picture: Any, where: str) -> bytes:
    """The file of a picture as `datasets` hands it out undecoded: its bytes, or a path to them."""
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, dict) and picture.get("bytes"):
        return picture["bytes"]
    if isinstance(picture, dict) and picture.get("path"):
        return Path(picture["path"]).read_bytes()
    raise DataError(f"{where} has no picture; say in the recipe which column has, as in columns: {{picture: NAME}}")
