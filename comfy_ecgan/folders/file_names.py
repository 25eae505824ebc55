"""Names for files that come out of a workflow, maybe somebody else's: they stay in their folder, on any system."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from ecgan_core.words import shown

NOT_IN_NAMES = set('<>:"|?*')  # on Windows; there a ':' also names another drive
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}  # Windows'
MAX_BYTES = 160  # of a part; file systems have 255, and a number, an ending and a mark of the unfinished come to it
MAX_PATH = 400  # characters of a whole name with its folders


def safe_name(typed: str, root: str) -> str:
    """What was typed as a name below the folder `root`, subfolders with '/', ready to be written to.

    Raises:
        ValueError: it is empty, leads out of `root`, also by a link, or is no name on some system.
    """

    def refuse(reason: str) -> ValueError:
        return ValueError(f"the file name {shown(typed)} {reason}; type another, such as my-emotions/smirk")

    name = unicodedata.normalize("NFC", typed.strip().replace("\\", "/"))  # é is one letter, however it was typed
    if len(name) > MAX_PATH:
        raise refuse(f"is too long: with its folders it may have {MAX_PATH} characters")
    parts = name.split("/")
    if not parts[-1]:
        raise ValueError("the emotion vector has no file name; type one into 'filename_prefix', such as my-emotion")
    if not parts[0] or ".." in parts or (len(parts[0]) == 2 and parts[0][1] == ":"):
        raise refuse(f"leads out of the folder {root}")
    for part in parts:
        if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in NOT_IN_NAMES for c in part):
            raise refuse("has a character that a file's name cannot have on every system")
        if not part or part != part.rstrip(". ") or part != part.lstrip():
            raise refuse("has an empty part, or one that begins or ends with a space or ends with a dot")
        if part.partition(".")[0].rstrip().lower() in DEVICES:
            raise refuse("is that of a device on Windows")
        if len(part.encode()) > MAX_BYTES:
            raise refuse(f"is too long: a part of it may have {MAX_BYTES} bytes")
    folder = Path(root, *parts[:-1]).resolve()
    if not folder.is_relative_to(Path(root).resolve()):
        raise refuse(f"leads out of the folder {root}, by a link")
    return os.path.join(*parts)
