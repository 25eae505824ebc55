"""Safetensors files of ours on disk: read with care, written whole or not at all.

A file that somebody shared can claim anything. `read_header` believes nothing before it has compared it with the size
of the file, and no function here unpickles.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import safetensors

if TYPE_CHECKING:  # torch takes seconds and memory to import, and whoever only replaces a file needs none of it
    from torch import Tensor

MAX_HEADER_BYTES = 16 * 2**20  # our own headers have some ten kilobytes


class BadFile(ValueError):
    """A file cannot be used; the text is one sentence that says which, why, and what to do."""


@dataclass(frozen=True)
class Header:
    """What the front of a safetensors file says: its `metadata` and the `shapes` of its tensors."""

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]


def read_header(path: str | os.PathLike, kind: str, error: type[BadFile] = BadFile) -> Header:
    """Read the header of a safetensors file and nothing else.

    Args:
        path: the file.
        kind: what it should be, with its article, for the error texts: "an EC-GAN checkpoint".
        error: the exception to raise.

    Raises:
        error: there is no such file, or it is not a complete safetensors file.
    """

    def refuse(reason: str) -> NoReturn:
        raise error(f"{path} is not {kind}: {reason}")

    path = Path(path)
    if not path.is_file():
        raise error(f"there is no file {path}; check the name and the folder")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start[:4] == b"PK\x03\x04":
            refuse("it is a zip archive (such as a .pt or .ckpt file) that was renamed; ask for the .safetensors file")
        if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05" and int.from_bytes(start, "little") > size:
            refuse(
                "it is a Python pickle that was renamed, and pickles are never opened; ask for the .safetensors file"
            )
        length = int.from_bytes(start, "little")
        if len(start) < 8 or not 2 <= length <= MAX_HEADER_BYTES or file.read(1) != b"{":
            refuse("it does not begin as a safetensors file does")
        if 8 + length > size:
            refuse(f"its header claims {length} bytes but the whole file has {size}; download it again")
        raw = b"{" + file.read(length - 1)
    try:
        entries = json.loads(raw)
        metadata = {str(k): str(v) for k, v in entries.pop("__metadata__", {}).items()}
        shapes = {name: tuple(int(n) for n in entry["shape"]) for name, entry in entries.items()}
        end = 8 + length + max((int(entry["data_offsets"][1]) for entry in entries.values()), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        refuse("its header is damaged; download it again")
    if end != size:
        refuse(f"it should have {end} bytes and has {size}, so it was cut short or changed; download it again")
    return Header(metadata, shapes)


def read_tensors(path: str | os.PathLike, kind: str, error: type[BadFile] = BadFile) -> dict[str, Tensor]:
    """All tensors of a safetensors file whose header `read_header` has accepted, on the CPU."""
    from safetensors.torch import load_file

    try:
        return load_file(os.fspath(path), device="cpu")
    except (safetensors.SafetensorError, OSError, KeyError) as problem:
        raise error(f"{path} is not {kind}: its tensors cannot be read ({problem}); download it again") from problem


@contextmanager
def replacing(path: str | os.PathLike):
    """The path of a temporary file that takes the place of `path` when the block ends well, and vanishes otherwise."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)  # mkstemp makes files that nobody else may read
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_tensors(path: str | os.PathLike, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file in one step: a reader sees the old file or the new one, never a half."""
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, temporary, dict(metadata))
