"""What the ComfyUI registry gets: complete, addressed, and with pictures of the sizes that it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from tools import registry

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
HOME = "https://github.com/someone/faces"


@pytest.fixture(scope="module")
def published() -> dict:
    return tomllib.loads(registry.addressed(PYPROJECT, HOME, "v0.1.0"))


def test_it_is_told_where_the_pack_lives(published: dict) -> None:
    comfy = published["tool"]["comfy"]
    assert published["project"]["urls"]["Repository"] == HOME
    assert comfy["Icon"] == "https://raw.githubusercontent.com/someone/faces/v0.1.0/docs/brand/icon.png"
    assert comfy["Banner"] == "https://raw.githubusercontent.com/someone/faces/v0.1.0/docs/brand/banner.png"


def test_nothing_else_is_changed(published: dict) -> None:
    before = tomllib.loads(PYPROJECT)
    del published["project"]["urls"]
    published["tool"]["comfy"].update({key: before["tool"]["comfy"][key] for key in registry.PICTURES})
    assert published == before


def test_it_has_all_that_the_registry_asks_for() -> None:
    project, comfy = (tomllib.loads(PYPROJECT)[table] for table in ("project", "tool"))
    comfy = comfy["comfy"]
    assert re.fullmatch(r"[a-z](?:[a-z0-9]|-(?!-)){1,98}", project["name"])
    assert "comfyui" not in project["name"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"])
    assert project["license"] == "Apache-2.0"
    assert project["description"]
    assert project["requires-python"]
    assert "Operating System :: OS Independent" in project["classifiers"]
    assert set(comfy) == {"PublisherId", "DisplayName", "Icon", "Banner", "requires-comfyui"}


@pytest.mark.parametrize(("repository", "words"), [("https://example.org/a/b", "is not"), ("someone/faces", "is not")])
def test_another_address_is_refused(repository: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        registry.addressed(PYPROJECT, repository, "main")


def test_addresses_are_written_once() -> None:
    once = registry.addressed(PYPROJECT, HOME, "main")
    with pytest.raises(ValueError, match="already"):
        registry.addressed(once, HOME, "main")


@pytest.mark.parametrize(("key", "size", "kilobytes"), [("Icon", (400, 400), 60), ("Banner", (1344, 576), 150)])
def test_its_pictures_are_there_and_small(key: str, size: tuple[int, int], kilobytes: int) -> None:
    file = ROOT / tomllib.loads(PYPROJECT)["tool"]["comfy"][key]
    with Image.open(file) as picture:
        assert picture.format == "PNG"
        assert picture.size == size
    assert file.stat().st_size < kilobytes * 1024


def ignored(path: str) -> bool:
    lines = (ROOT / ".comfyignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    return any(path == rule or (rule.endswith("/") and path.startswith(rule)) for rule in rules)


def shipped() -> list[str]:
    """The files that the registry packs: those of git, without those of .comfyignore."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    answer = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in answer.stdout.splitlines() if not ignored(path)]


def test_what_the_nodes_need_is_shipped_and_what_only_we_need_is_not() -> None:
    files = shipped()
    rooms = {path.split("/")[0] for path in files}
    assert {"nodes.py", "comfy_ecgan", "ecgan_core", "models", "workflows", "locales"} <= rooms
    assert {"__init__.py", "pyproject.toml", "requirements.txt", "LICENSE", "README.md", "CHANGELOG.md"} <= rooms
    assert not rooms & {"tests", "tools", "benchmarks", ".ci", ".github", "Makefile", "requirements.lock"}


def test_every_line_of_comfyignore_names_something() -> None:
    lines = (ROOT / ".comfyignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#") and not (ROOT / line).exists()] == []


@pytest.mark.parametrize("name", ["publish", "test"])
def test_foreign_actions_are_pinned_to_a_commit(name: str) -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert [action for action in used if not re.search(r"@[0-9a-f]{40}$", action)] == []
    assert workflow["permissions"] == {"contents": "read"}
