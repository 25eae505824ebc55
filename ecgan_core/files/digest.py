"""A digest of a file's numbers: a flipped bit of a weight would else be a number like any other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

DIGEST = "digest"  # of all tensors' bytes, in the metadata; files that others wrote may lack it


def digest(parts: Iterable[memoryview]) -> str:
    """Sixteen hex digits of some bytes: SHA-256, cut short."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()[:16]
