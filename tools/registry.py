"""Makes pyproject.toml ready for the ComfyUI registry, which wants to know where the pack lives.

    python -m tools.registry https://github.com/OWNER/NAME v0.1.0

Writes the repository's address, and those of icon and banner at that tag or branch, into pyproject.toml. A workflow
does this in its own checkout just before it publishes; the changed file is not meant to be committed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tools.host import ROOT

GITHUB = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+")
PICTURES = ("Icon", "Banner")


def addressed(pyproject: str, repository: str, ref: str) -> str:
    """The text of pyproject.toml with every address that the registry wants.

    Raises:
        ValueError: the repository is not one of GitHub's, or the file has its addresses already.
    """
    if not GITHUB.fullmatch(repository):
        raise ValueError(f"'{repository}' is not https://github.com/OWNER/NAME")
    if "[project.urls]" in pyproject:
        raise ValueError("pyproject.toml has its addresses already")
    for key in PICTURES:
        files = repository.replace("//github.com/", "//raw.githubusercontent.com/")
        line = re.compile(rf'^{key} = "([^":]+)"$', re.MULTILINE)
        pyproject, found = line.subn(rf'{key} = "{files}/{ref}/\1"', pyproject)
        if found != 1:
            raise ValueError(f"pyproject.toml has no {key} to find an address for")
    addresses = f'[project.urls]\nRepository = "{repository}"\nIssues = "{repository}/issues"\n'
    return pyproject.replace("[project.optional-dependencies]", f"{addresses}\n[project.optional-dependencies]", 1)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    file = Path(ROOT / "pyproject.toml")
    try:
        file.write_text(addressed(file.read_text(encoding="utf-8"), *arguments), encoding="utf-8")
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
