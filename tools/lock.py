"""Writes the hashes into the locks: what `make` installs is, byte for byte, what was published under those versions.

    python -m tools.lock            keep every pin of requirements.lock, and write the hashes anew
    python -m tools.lock --check    write nothing; fail where the locks are not what would be written

A changed pin is a changed line in requirements.lock, its hashes left as they are; run this after it. A pin gets the
hashes of all files that the index has of that version, so that one lock serves every system. requirements-cuda.lock
is made from the metadata of torch's wheels: what its builds for graphics cards need on Linux.

It needs `uv` (`pip install uv`), which alone can ask for the hashes of all systems, and the package index itself:
mirrors and folders that pip is told of are passed over.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.host import COMFYUI_SHA256, COMFYUI_WHEEL, CUDA_LOCK, LOCK, ROOT

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "x86_64-pc-windows-msvc", "aarch64-apple-darwin")
MACOS = "14.0"  # the oldest that all wheels run on

CUDA_HEADER = """\
# What torch's builds for graphics cards need besides, on Linux; tools/host.py installs it where torch asks for it.
# Made by `python -m tools.lock` from torch's own metadata.
"""


class LockError(RuntimeError):
    """A lock cannot be made or is not as it should be; the message is one sentence."""


@dataclass(frozen=True)
class Pin:
    """One line of a lock: `what` it pins, as in `numpy==2.2.6`, the marker behind it or "", and its hashes."""

    what: str
    marker: str
    hashes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.what} ; {self.marker}" if self.marker else self.what]
        lines += [f"    --hash=sha256:{value}" for value in self.hashes]
        return " \\\n".join(lines)


def pins_of(text: str) -> Iterator[Pin]:
    """The pins of a lock's text, its hashes included."""
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        wanted, *hashes = re.split(r"\s+--hash=sha256:", line.strip())
        what, _, marker = wanted.partition(";")
        yield Pin(what.strip(), marker.strip(), tuple(value.strip() for value in hashes))


def header_of(text: str) -> str:
    """The comment in front of a lock's first pin."""
    lines = text.splitlines(keepends=True)
    return "".join(lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))])


def with_hashes(text: str) -> str:
    """The lock `text` with the hashes that the index has now."""
    pins = list(pins_of(text))
    plain = "".join(f"{Pin(pin.what, pin.marker)}\n" for pin in pins)
    found = {pin.what: pin.hashes for pin in pins_of(_uv_compile(plain, "--no-deps"))}
    named = [Pin(pin.what, pin.marker, found[pin.what]) for pin in pins]
    return header_of(text) + "".join(f"{pin}\n" for pin in named)


def cuda_lock(text: str) -> str:
    """The text of requirements-cuda.lock that belongs to the lock `text`."""
    pins = list(pins_of(text))
    (torch,) = [pin.what for pin in pins if pin.what.startswith("torch==")]
    constraints = "".join(f"{Pin(pin.what, pin.marker)}\n" for pin in pins)
    locked = {pin.what.partition("==")[0] for pin in pins}
    needed = [pin for pin in pins_of(_uv_compile(torch, constraints=constraints)) if _name(pin) not in locked]
    return CUDA_HEADER + "".join(f"{pin}\n" for pin in needed)


def check_platforms(*locks: Path) -> None:
    """Raise LockError unless every pin has a wheel with a hash of ours on each Python and platform."""
    for python in PYTHONS:
        for platform in PLATFORMS:
            command = ["pip", "install", "--dry-run", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
            command += ["--target", tempfile.gettempdir(), "--python-version", python, "--python-platform", platform]
            _uv(*command, *(word for lock in locks for word in ("-r", str(lock))))


def _name(pin: Pin) -> str:
    return pin.what.partition("==")[0]


def _uv_compile(wanted: str, *options: str, constraints: str = "") -> str:
    with tempfile.TemporaryDirectory() as folder:
        source, limits = Path(folder) / "wanted.in", Path(folder) / "constraints.txt"
        source.write_text(wanted, encoding="utf-8")
        limits.write_text(constraints, encoding="utf-8")
        plain = ["--no-annotate", "--no-header", "--universal", "--python-version", PYTHONS[0], "--generate-hashes"]
        return _uv("pip", "compile", str(source), "--constraints", str(limits), *plain, *options)


def _uv(*arguments: str) -> str:
    program = shutil.which("uv")
    if program is None:
        raise LockError("tools.lock needs uv, which is not here: `pip install uv` puts it beside this Python.")
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": MACOS}
    answer = subprocess.run([program, "--no-config", *arguments], capture_output=True, text=True, env=environment)
    if answer.returncode:
        raise LockError(f"`uv {' '.join(arguments)}` failed:\n{answer.stderr.strip()}")
    return answer.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the hashes into requirements.lock and requirements-cuda.lock.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something would change")
    check = parser.parse_args().check
    try:
        before = LOCK.read_text(encoding="utf-8")
        made = {LOCK: with_hashes(before), CUDA_LOCK: cuda_lock(before)}
        for path, text in made.items():
            same = path.is_file() and path.read_text(encoding="utf-8") == text
            if check and not same:
                raise LockError(f"{path.relative_to(ROOT)} is not what the index says; run `python -m tools.lock`.")
            path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {len(list(pins_of(text)))} pins{'' if same else ', changed'}")
        check_platforms(LOCK, CUDA_LOCK)
        (comfyui,) = pins_of(_uv_compile(COMFYUI_WHEEL, "--no-deps"))
        if COMFYUI_SHA256 not in comfyui.hashes:
            raise LockError(f"COMFYUI_SHA256 in tools/host.py is none of {COMFYUI_WHEEL}: {', '.join(comfyui.hashes)}")
        print(f"each has a wheel for Python {PYTHONS[0]} to {PYTHONS[-1]} on {', '.join(PLATFORMS)}")
    except LockError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
