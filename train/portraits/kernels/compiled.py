"""How the inner loops are compiled: by numba, once for each machine, kept in the cache folder, never out of date.

numba compares a kept function with the file that holds it, and not with the files of the functions and constants that
went into it: left alone, it would go on with the old skin after an update of `skin.py` alone. So what is compiled lies
in a folder that is named by all the sources that it can come from.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

from ...cache_folder import cache_folder


def kernel(function: Callable) -> Callable:
    """A function compiled without the interpreter, for numbers, arrays and named tuples of them.

    No fast maths: it reorders sums differently on different processors. Division by zero gives inf, as in numpy.
    """
    settings: Any = numba.config  # read while a function is decorated
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(compiled_folder())
    try:
        return numba.njit(cache=True, error_model="numpy")(function)
    finally:
        settings.CACHE_DIR = before


@cache
def compiled_folder() -> Path:
    """Where numba keeps what it compiled."""
    return cache_folder() / "compiled" / source_digest(Path(__file__).parents[1])


def source_digest(package: Path) -> str:
    """A digest of a package's files with kernels in them and of all that these import from the package."""
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(package.rglob("*.py"))}
    sources = [file for file, text in texts.items() if re.search(r"^@kernel$", text, re.MULTILINE)]
    for file in sources:  # it grows while we walk along
        for dots, module in re.findall(r"^from (\.+)([\w.]+) import", texts[file], re.MULTILINE):
            imported = file.parents[len(dots) - 1].joinpath(*module.split(".")).with_suffix(".py")
            if imported in texts and imported not in sources:
                sources.append(imported)
    return hashlib.sha256("".join(texts[file] for file in sorted(sources)).encode()).hexdigest()[:16]
