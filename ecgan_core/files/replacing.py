"""A file on disk is replaced whole or not at all, and a new one takes no other's name."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .disk import ELSEWHERE, sweep_once, to_disk, unfinished_name, writing

if TYPE_CHECKING:
    from PIL.Image import Image

# What pictures may be. Pillow would try all that it knows, and start another program (Ghostscript) for PostScript.
PICTURE_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


@contextmanager
def replacing(
    path: str | os.PathLike, elsewhere: str = ELSEWHERE, put: Callable[[str, str], None] = os.replace
) -> Iterator[str]:
    """The path of a temporary file that takes the place of `path` when the block ends well, and vanishes otherwise.

    A kill leaves the old file or the new one, and maybe the temporary one, which `sweep` knows. So does a power cut:
    the new file is on the disk before it gets its name (fsync: 0.4 to 15 ms for a small file, 20 to 60 ms for 240 MB,
    on a virtual machine). Its name is not waited for: a power cut may undo the last write, but never half of it.

    Args:
        elsewhere: how to choose another place, for the error text.
        put: gives the finished file its name; `put_new` leaves alone what has that name already.

    Raises:
        CannotWrite: the disk is full, read-only or the like.
    """
    path = Path(path)
    temporary = unfinished_name(path)
    with writing(path, elsewhere):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_once(path.parent)
        try:
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            yield os.fspath(temporary)
            to_disk(temporary)
            put(os.fspath(temporary), os.fspath(path))
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise


class NameTaken(Exception):
    """There is a file of that name already."""


def put_new(temporary: str, path: str) -> None:
    """Rename a finished file to a name that nothing has; a kill leaves either nothing of that name or all of it.

    Raises:
        NameTaken: something has that name, be it a link that leads nowhere.
    """
    try:
        try:
            os.link(temporary, path)  # the one step that fails where the name is taken, as a rename does not
            os.unlink(temporary)
        except FileExistsError:
            raise
        except OSError:  # a disk without hard links: then a kill in this instant leaves an empty file
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            os.replace(temporary, path)
    except FileExistsError:
        raise NameTaken(path) from None


def write_image(image: Image, path: str | os.PathLike, format: str, **options: Any) -> None:
    """Write a picture in one step, in Pillow's `format` and with its `options`.

    Not straight into the file: where a disk fills up in the midst of a JPEG, Pillow leaves half of it and says nothing.

    Raises:
        CannotWrite: the disk is full, read-only or the like.
    """
    content = io.BytesIO()
    image.save(content, format, **options)
    with replacing(path) as temporary:
        Path(temporary).write_bytes(content.getvalue())
