"""The house's arrows: nodes → comfy_ecgan → ecgan_core ← train. And what may not come in at all."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

COMFYUI = {
    *("comfy", "comfy_api", "comfy_api_nodes", "comfy_config", "comfy_execution", "comfy_extras", "execution"),
    *("folder_paths", "latent_preview", "main", "node_helpers", "server"),
}
ROOMS = {"nodes", "comfy_ecgan", "ecgan_core", "train"}
NOT_IN_THE_PRODUCT = {"tests", "tools", "benchmarks"}

# room → those it may not import. `nodes` has the pack's door with it (__init__.py).
CLOSED = {
    "nodes": {"train"} | NOT_IN_THE_PRODUCT,
    "comfy_ecgan": {"nodes", "train"} | NOT_IN_THE_PRODUCT,
    "ecgan_core": (ROOMS - {"ecgan_core"}) | COMFYUI | NOT_IN_THE_PRODUCT,
    "train": (ROOMS - {"ecgan_core", "train"}) | COMFYUI | NOT_IN_THE_PRODUCT,
}

# Inside ComfyUI we neither reach for the network, nor install, nor unpickle.
UNSAFE = {
    *("ftplib", "http", "httpx", "huggingface_hub", "requests", "socket", "urllib", "aiohttp"),
    *("pip", "subprocess", "ensurepip"),
    *("dill", "joblib", "marshal", "pickle", "shelve"),
}


def files_of(room: str) -> list[Path]:
    if room == "nodes":
        return [ROOT / "__init__.py", ROOT / "nodes.py"]
    return sorted((ROOT / room).rglob("*.py"))


def imports_of(file: Path) -> Iterator[tuple[int, str]]:
    """(line, top-level module) of each import in a file; a relative one is counted from the checkout's root."""
    package = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, (node.module or "").partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            folder = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((node.lineno, ".".join([*folder, name]).partition(".")[0]) for name in names)


def offences(room: str, closed: set[str]) -> list[str]:
    return [
        f"{file.relative_to(ROOT)}:{line} imports {module}"
        for file in files_of(room)
        for line, module in imports_of(file)
        if module in closed
    ]


@pytest.mark.parametrize("room", CLOSED)
def test_imports_follow_the_arrows(room: str) -> None:
    assert all(file.is_file() for file in files_of(room)), f"{room} is not where this test looks"
    assert files_of(room), f"{room} has no files"
    assert offences(room, CLOSED[room]) == []


@pytest.mark.parametrize("room", ["nodes", "comfy_ecgan", "ecgan_core"])
def test_no_network_no_installing_no_pickle_at_run_time(room: str) -> None:
    assert offences(room, UNSAFE) == []


@pytest.mark.parametrize("room", ["nodes", "comfy_ecgan", "ecgan_core", "train"])
def test_nothing_is_evaluated_or_unpickled(room: str) -> None:
    """By call, too: eval and exec, and torch.load unless it is told to read weights only."""
    found = []
    for file in files_of(room):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            weights_only = any(
                word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in node.keywords
            )
            if name in ("eval", "exec", "__import__") or (name == "torch.load" and not weights_only):
                found.append(f"{file.relative_to(ROOT)}:{node.lineno} calls {name}")
    assert found == []


def test_relative_imports_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of imports above is itself code that could be wrong."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "ecgan_core" / "inner").mkdir(parents=True)
    file = tmp_path / "ecgan_core" / "inner" / "room.py"
    file.write_text("from . import a\nfrom .. import b\nfrom ...comfy_ecgan import c\nfrom ... import nodes\n", "utf-8")
    assert list(imports_of(file)) == [(1, "ecgan_core"), (2, "ecgan_core"), (3, "comfy_ecgan"), (4, "nodes")]


IMPORT_ALONE = """
import importlib, json, pkgutil, sys

class Closed:
    rooms = ()

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.rooms:
            raise ImportError(f"{name} was asked for")

door, rooms = Closed(), json.loads(sys.argv[2])
sys.meta_path.insert(0, door)
sys.path.insert(0, sys.argv[1])
for room, door.rooms in rooms.items():
    importlib.import_module(room)
    heavy = sorted({"diffusers", "skimage", "transformers"} & set(sys.modules))
    assert not heavy, f"`import {room}` alone loads {heavy}"
for room, door.rooms in rooms.items():
    for module in pkgutil.walk_packages(sys.modules[room].__path__, room + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    print(room)
"""


@pytest.mark.slow
def test_imports_with_no_comfyui_present(tmp_path: Path) -> None:
    """Every module of the library, and then of the trainer, in a Python of their own without ComfyUI."""
    rooms = {room: sorted(CLOSED[room] - NOT_IN_THE_PRODUCT) for room in ("ecgan_core", "train")}
    command = [sys.executable, "-I", "-c", IMPORT_ALONE, str(ROOT), json.dumps(rooms)]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == list(rooms)
