"""The house as CONTRIBUTING.md draws it: its rooms, and the arrows along which they import, measured."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("comfy_ecgan", "ecgan_core", "train", "benchmarks", "tools")
LARGEST_ROOM = 12  # files, besides __init__.py and __main__.py
# Packages whose files on top are rooms of their own, because they lie on several floors; and a file that lies far above
# its room, which is otherwise the ground floor.
APART = ("ecgan_core", "train")
ABOVE_ITS_ROOM = "ecgan_core/files/checkpoint.py"
ONE_ROOM = ("benchmarks", "tools")  # not part of the product: drawn as one room each
TESTS_OF = {
    "core": "ecgan_core",
    "host": "comfy_ecgan",
    "tools": "tools",
    "train": "train",
}  # folder of tests → package

FILES = [ROOT / "nodes.py", *(file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))]


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


def imported(file: Path) -> Iterator[Path]:
    """The files of ours that a file imports, also inside functions and for types alone."""
    package = module_of(file) if file.name == "__init__.py" else module_of(file).rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (MODULES[alias.name] for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                found = MODULES.get(f"{module}.{alias.name}") or MODULES.get(module)
                if found and found != file:
                    yield found


IMPORTS = {file: set(imported(file)) for file in FILES}


def room_of(file: Path) -> str | None:
    """The name that the drawing has for the room of a file; None for doors, which only lead on."""
    path = file.relative_to(ROOT)
    if path.name == "__main__.py" or (path.name == "__init__.py" and str(path.parent) in APART):
        return None
    if len(path.parts) == 1 or path.as_posix() == ABOVE_ITS_ROOM or str(path.parent) in APART:
        return path.as_posix()
    return path.parts[0] if path.parts[0] in ONE_ROOM or len(path.parts) == 2 else "/".join(path.parts[:2])


def measured() -> dict[str, set[str]]:
    """Room → the rooms that its files import from."""
    arrows: dict[str, set[str]] = {room: set() for file in FILES if (room := room_of(file))}
    for file, others in IMPORTS.items():
        for other in others:
            room, target = room_of(file), room_of(other)
            if room and target and room != target:
                arrows[room].add(target)
    return arrows


def drawn() -> dict[str, set[str]]:
    """The drawing: a room is `id["NAME<br>what it holds"]`, an arrow `id --> id`."""
    [drawing] = re.findall(r"```mermaid\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    names = dict(re.findall(r'(\w+)\["([^"<]+)', drawing))
    arrows: dict[str, set[str]] = {name: set() for name in names.values()}
    for line in drawing.splitlines():
        if "-->" in line:
            start, ends = line.split("-->")
            arrows[names[start.strip()]] |= {names[end.strip()] for end in ends.split("&")}
    return arrows


def reachable(arrows: dict[str, set[str]], room: str) -> set[str]:
    seen: set[str] = set()
    waiting = [room]
    while waiting:
        for target in arrows[waiting.pop()] - seen:
            seen.add(target)
            waiting.append(target)
    return seen


def test_the_drawing_has_every_room_and_no_other() -> None:
    assert drawn().keys() == measured().keys()


def test_every_arrow_is_an_import() -> None:
    real = measured()
    assert [f"{room} --> {target}" for room, targets in drawn().items() for target in targets - real[room]] == []


def test_every_import_goes_along_the_arrows() -> None:
    picture = drawn()
    against = [
        f"{room} imports {target}"
        for room, targets in measured().items()
        for target in targets - reachable(picture, room)
    ]
    assert against == []


def test_nobody_meets_themselves_again() -> None:
    """Neither rooms nor files import in a circle."""
    rooms = measured()
    assert [room for room in rooms if room in reachable(rooms, room)] == []
    files = {str(file.relative_to(ROOT)): {str(other.relative_to(ROOT)) for other in IMPORTS[file]} for file in FILES}
    assert [file for file in files if file in reachable(files, file)] == []


FOLDERS = sorted({file.parent for file in FILES} - {ROOT})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_a_room_is_small_and_says_what_it_is_for(folder: Path) -> None:
    files = [file for file in folder.glob("*.py") if file.name not in ("__init__.py", "__main__.py")]
    assert len(files) <= LARGEST_ROOM
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert said
    assert said.splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_a_table_of_a_room_names_all_that_is_in_it(folder: Path) -> None:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    files = {file.stem for file in folder.glob("*.py")} - {"__init__", "__main__"}
    rooms = {f"{inner.parent.name}/" for inner in folder.glob("*/__init__.py")}
    named = set(re.findall(r"`([\w/]+)`", "".join(re.findall(r"^\|([^|]*)\|", said, re.MULTILINE))))
    assert "| module |" not in said or named == files | rooms


TESTS = ROOT / "tests"


@pytest.mark.parametrize(
    "folder", sorted({file.parent for file in TESTS.rglob("*.py")}), ids=lambda folder: folder.name
)
def test_the_tests_have_the_same_rooms(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= LARGEST_ROOM
    top, *rest = folder.relative_to(TESTS).parts or ("",)
    if top in TESTS_OF:
        assert ROOT.joinpath(TESTS_OF[top], *rest).is_dir(), "there is no such room that it could test"


DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
PLACE = re.compile(rf"(?<![\w/.])(?:tests|recipes|docs|workflows|{'|'.join(PACKAGES)})/[\w./-]*\w/?")
IN_COMFYUI = {"comfy_ecgan/requirements.txt", "comfy_ecgan/workflows/input/"}  # of a clone, in its `custom_nodes`


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_what_a_document_names_is_there(document: Path) -> None:
    named = set(PLACE.findall(document.read_text(encoding="utf-8"))) - IN_COMFYUI
    assert [place for place in sorted(named) if not (ROOT / place).exists()] == []


def test_the_documents_name_places() -> None:
    assert len(set(PLACE.findall("".join(file.read_text(encoding="utf-8") for file in DOCUMENTS)))) > 30


def test_the_table_of_contents_is_short() -> None:
    assert len((ROOT / "nodes.py").read_text(encoding="utf-8").splitlines()) <= 60
