"""The JSON at the front of a safetensors file, believed only where it fits the file that it stands in.

Without torch: whoever only wants to know what a file is need not import it.
"""

from __future__ import annotations

import json
from typing import Any

BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 8),
}  # an element's, by the name of its type
FLOATS = {"F16", "BF16", "F32", "F64"}  # what weights are kept in
MAX_DIMENSIONS = 8  # so that nobody multiplies a million numbers


class BadHeader(ValueError):
    """The header contradicts itself or its file; the text says how, without the file's name."""


def parsed(raw: bytes) -> tuple[dict[str, str], dict[str, tuple[str, tuple[int, ...], int, int]]]:
    """The metadata, and (dtype, shape, first byte, end) of each tensor by name, of a header's JSON.

    Raises:
        BadHeader: it is no header, or a tensor's bytes are not those that its dtype and shape ask for.
    """
    try:
        entries = json.loads(raw, object_pairs_hook=_unique)
        metadata = entries.pop("__metadata__", {})
        if not all(isinstance(value, str) for value in metadata.values()):
            raise BadHeader("its metadata is not text")
        tensors = {name: _tensor(name, entry) for name, entry in entries.items()}
    except BadHeader:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadHeader("its header is damaged") from None
    return metadata, tensors


def end_of(tensors: dict[str, tuple[str, tuple[int, ...], int, int]]) -> int:
    """How many bytes the tensors take; raises BadHeader unless they lie one behind the other without a gap."""
    end = 0
    for first, last, name in sorted((first, last, name) for name, (_, _, first, last) in tensors.items()):
        if first != end:
            raise BadHeader(f"the bytes of its tensor {shown(name)} overlap another's, or leave a gap")
        end = last
    return end


def shown(name: str) -> str:
    """A name out of a file in an error text: one line, never long."""
    return repr(name if len(name) <= 80 else f"{name[:80]}…")


def _tensor(name: str, entry: dict[str, Any]) -> tuple[str, tuple[int, ...], int, int]:
    dtype, shape, (first, last) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if dtype not in BYTES:
        raise BadHeader(f"its tensor {shown(name)} is of the unknown type {shown(str(dtype))}")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(map(_is_count, (*shape, first, last))):
        raise BadHeader(f"its tensor {shown(name)} has a shape or place that none can have")
    needed = BYTES[dtype]
    for side in shape:
        needed *= side
    if last - first != needed:
        raise BadHeader(f"its tensor {shown(name)} has {last - first} bytes where its shape asks for {needed}")
    return dtype, tuple(shape), first, last


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise BadHeader("its header names something twice")
    return entries
