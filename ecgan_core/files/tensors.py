"""Safetensors files of ours on disk: read with care, written whole or not at all.

A file that somebody shared can claim anything. `read_header` believes nothing before it has compared it with the size
of the file, and no function here unpickles. A digest of the numbers is in the metadata of what we write: a flipped bit
of a weight would else be a number like any other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import safetensors

from .digest import DIGEST, digest
from .header import BadHeader, end_of, parsed
from .replacing import replacing

if TYPE_CHECKING:  # torch takes seconds and memory to import, and whoever only reads a header needs none of it
    from torch import Tensor

MAX_HEADER_BYTES = 16 * 2**20  # our own headers have some ten kilobytes
DTYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
}  # torch's names, and those in a safetensors file


class BadFile(ValueError):
    """A file cannot be used; the text is one sentence that says which, why, and what to do."""


@dataclass(frozen=True)
class Header:
    """What the front of a safetensors file says: its `metadata` and `shapes` and `dtypes` (as F32) of its tensors."""

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]
    dtypes: dict[str, str]


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
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "no plain file" if path.exists() else "not there"
            raise error(f"there is no file {path}: it is {what}; check the name and the folder")
        file = path.open("rb")
    except OSError as problem:
        raise error(f"{path} cannot be read ({problem.strerror}); check its name and who may read it") from problem
    with file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(8)
        if start[:4] == b"PK\x03\x04":
            refuse("it is a zip archive (such as a .pt or .ckpt file) that was renamed; ask for the .safetensors file")
        length = int.from_bytes(start, "little")
        # A header of 640 bytes begins as a pickle does; but no header is as long as a pickle's first bytes would be.
        if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05" and length > MAX_HEADER_BYTES:
            refuse(
                "it is a Python pickle that was renamed, and pickles are never opened; ask for the .safetensors file"
            )
        if len(start) < 8 or not 2 <= length <= MAX_HEADER_BYTES or file.read(1) != b"{":
            refuse("it does not begin as a safetensors file does")
        if 8 + length > size:
            refuse(f"its header claims {length} bytes but the whole file has {size}; download it again")
        raw = b"{" + file.read(length - 1)
    try:
        metadata, tensors = parsed(raw)
        end = 8 + length + max((last for *_, last in tensors.values()), default=0)
        if end != size:
            refuse(f"it should have {end} bytes and has {size}, so it was cut short or changed; download it again")
        end_of(tensors)
    except BadHeader as problem:
        refuse(f"{problem}; download it again")
    shapes = {name: shape for name, (_, shape, _, _) in tensors.items()}
    return Header(metadata, shapes, {name: dtype for name, (dtype, *_) in tensors.items()})


def read_tensors(
    path: str | os.PathLike, kind: str, error: type[BadFile] = BadFile, header: Header | None = None
) -> dict[str, Tensor]:
    """All tensors of a safetensors file whose header `read_header` has accepted, on the CPU and in memory of their own.

    They are read and not mapped: mapped ones would change with a file that is written over while they are in use, and
    end the process where it became shorter.

    Raises:
        error: the file cannot be read, has by now another header than the one given, or other numbers than were
            written.
    """
    from safetensors.torch import load

    try:
        content = Path(path).read_bytes()
        tensors = load(content)
    except (safetensors.SafetensorError, OSError, KeyError, RuntimeError) as problem:
        raise error(f"{path} is not {kind}: its tensors cannot be read ({problem}); download it again") from problem
    now = read_header(path, kind, error)
    if header is not None and now != header:
        raise error(f"{path} was replaced while it was being read; run it again")
    written, start = now.metadata.get(DIGEST), 8 + int.from_bytes(content[:8], "little")
    if written is not None and written != digest([memoryview(content)[start:]]):
        raise error(f"{path} is {kind}, but a damaged one: its numbers are not those that were written; get it again")
    return tensors


def must_be_finite(
    tensors: Mapping[str, Tensor], path: str | os.PathLike, kind: str, error: type[BadFile] = BadFile
) -> None:
    """Raise `error` where a number in `tensors`, read from `path`, is NaN or infinite: it would spoil every picture."""
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or not tensor.numel():
            continue
        if tensor.element_size() < 2:  # torch cannot compare numbers of 8 bits
            tensor = tensor.float()
        if not all(end.isfinite() for end in tensor.aminmax()):  # NaN goes through both
            raise error(
                f"{path} is {kind}, but not all numbers of its tensor {name} are finite; download it again, or export "
                f"it anew from an earlier state of its training"
            )


def write_tensors(
    path: str | os.PathLike,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str],
    put: Callable[[str, str], None] = os.replace,
) -> None:
    """Write a safetensors file in one step: a reader sees the old file or the new one, never a half.

    Not with `safetensors.save_file`: it writes into a temporary file of its own, which a kill would leave for ever, and
    says of a full disk what only its own exception can tell. And it orders the metadata anew each time, so that two
    files of the same content are not equal.

    Args:
        tensors: of the dtypes in DTYPES.
        put: as in `replacing`.

    Raises:
        CannotWrite: the disk is full, read-only or the like.
    """
    import torch

    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))  # so that all of them are aligned
    contents = [tensors[name].detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data for name in order]
    entries: dict[str, dict] = {"__metadata__": {**metadata, DIGEST: digest(contents)}}
    end = 0
    for name in order:
        tensor = tensors[name]
        start, end = end, end + tensor.nbytes
        kind = DTYPES[str(tensor.dtype).removeprefix("torch.")]
        entries[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [start, end]}
    header = json.dumps(entries, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with replacing(path, put=put) as temporary, open(temporary, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.writelines(contents)
