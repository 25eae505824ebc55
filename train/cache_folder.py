"""Where what can be made again is kept: decoded faces, fetched data sets, the studio's head and its compiled code."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

ELSEWHERE = "set ECGAN_CACHE to another folder"


def cache_folder() -> Path:
    """The folder for what can be made again: `ECGAN_CACHE`, else the system's place for caches."""
    return Path(os.environ.get("ECGAN_CACHE") or platformdirs.user_cache_path("comfy-ecgan"))
