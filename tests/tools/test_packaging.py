"""What is installed is what is written down, and what is built holds what it must."""

from __future__ import annotations

import configparser
import importlib.metadata
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools import host, lock

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
NOT_INSTALLED = {"hub", "heic", "bench"}  # extras that `make` leaves to those who need them


def requirements(file: str) -> list[Requirement]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


def pins(python: str) -> dict[str, Version]:
    """The lock's exact version of each package, on that Python."""
    found: dict[str, Version] = {}
    for line in lock.pins_of(host.LOCK.read_text(encoding="utf-8")):
        requirement = Requirement(f"{line.what} ; {line.marker}" if line.marker else line.what)
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            (pin,) = requirement.specifier
            assert pin.operator == "==", f"{requirement} is no pin"
            assert canonicalize_name(requirement.name) not in found, f"{requirement.name} is pinned twice"
            found[canonicalize_name(requirement.name)] = Version(pin.version)
    return found


def test_requirements_txt_is_the_projects_own_dependencies() -> None:
    assert [str(line) for line in requirements("requirements.txt")] == PROJECT["project"]["dependencies"]


def test_nobodys_torch_is_replaced() -> None:
    names = {line.name for line in requirements("requirements.txt")}
    assert not names & {"torch", "torchvision", "torchaudio", "xformers"}


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_the_lock_pins_all_that_the_project_asks_for(python: str) -> None:
    locked = pins(python)
    extras = [line for name, extra in EXTRAS.items() if name not in NOT_INSTALLED for line in extra]
    for line in [*PROJECT["project"]["dependencies"], *extras]:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"python_version": python}):
            continue
        name = canonicalize_name(wanted.name)
        assert name in locked, f"{name} is not in requirements.lock"
        assert wanted.specifier.contains(locked[name], prereleases=True), (
            f"the lock has {name} {locked[name]}, not {line}"
        )


@pytest.mark.skipif("COMFYUI_DIR" in os.environ, reason="a ComfyUI of the user's own has its own versions")
def test_the_lock_is_what_is_installed() -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    wheel = Requirement(host.COMFYUI_WHEEL)
    wanted = {**pins(python), canonicalize_name(wheel.name): Version(next(iter(wheel.specifier)).version)}
    installed = {name: Version(Version(importlib.metadata.version(name)).public) for name in wanted}
    assert installed == wanted


def test_the_host_asks_for_the_page_that_its_comfyui_wants() -> None:
    wanted = (host.comfyui_dir() / "requirements.txt").read_text(encoding="utf-8")
    page = re.search(r"comfyui-frontend-package==(\S+)", wanted)
    assert page is not None
    if "COMFYUI_DIR" not in os.environ:
        assert f"comfyui-frontend-package=={page[1]}" in EXTRAS["host"]


def test_versions_agree() -> None:
    version = PROJECT["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_registry_finds_what_it_asks_for() -> None:
    comfy = PROJECT["tool"]["comfy"]
    assert comfy["PublisherId"]
    assert "comfyui" not in comfy["DisplayName"].lower()
    assert "comfyui" not in PROJECT["project"]["name"].lower()
    assert comfy["requires-comfyui"].startswith(">=")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_holds_library_trainer_and_bundled_model(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for room in ("ecgan_core", "train"):
        sources = {str(file.relative_to(ROOT)).replace(os.sep, "/") for file in (ROOT / room).rglob("*.py")}
        assert sources <= names
    bundled = {f"ecgan_core/models/{file.name}" for file in (ROOT / "models").glob("*.safetensors")}
    assert bundled
    assert bundled <= names
    assert not [name for name in names if name.startswith(("tests/", "tools/", "nodes.py", "__init__.py"))]


def test_the_commands_of_the_wheel_exist(wheel: zipfile.ZipFile) -> None:
    (file,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    commands = configparser.ConfigParser()
    commands.read_string(wheel.read(file).decode())
    assert set(commands["console_scripts"]) == {"ecgan", "ecgan-train"}
    assert set(commands["ecgan.commands"]) == {"portraits"}
    for target in [*commands["console_scripts"].values(), *commands["ecgan.commands"].values()]:
        module, _, function = target.partition(":")
        assert f"{module.replace('.', '/')}.py" in wheel.namelist()
        assert f"def {function}(" in wheel.read(f"{module.replace('.', '/')}.py").decode()


def test_the_installed_library_finds_its_model(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import ecgan_core; print(ecgan_core.DEFAULT_CHECKPOINT)"
    answer = subprocess.run([sys.executable, "-I", "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    found = Path(answer.stdout.strip())
    assert found.is_relative_to(tmp_path), f"{found} is outside the installed library"
    assert found.is_file()


RUN_INSTALLED = """
import sys
sys.path.insert(0, sys.argv.pop(1))
for package in ("numba", "torch", "yaml"):
    sys.modules[package] = None
from ecgan_core.cli import main
sys.exit(main())
"""


def installed_ecgan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`ecgan` as it is in `folder`, without the `train` extra: neither torch nor numba nor yaml can be imported."""
    command = [sys.executable, "-I", "-c", RUN_INSTALLED, str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


def test_the_installed_ecgan_finds_the_trainers_command(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """ecgan_core does not import train: it asks the installed packages for commands."""
    wheel.extractall(tmp_path)
    assert "portraits" in installed_ecgan(tmp_path, "--help").stdout
    answer = installed_ecgan(tmp_path, "portraits", "preview", "--help")
    assert answer.returncode == 0, answer.stderr
    assert "usage: ecgan portraits preview" in answer.stdout
    answer = installed_ecgan(tmp_path, "portraits", "make", "mine.yaml")
    assert answer.returncode == 2
    assert "--out" in answer.stderr
    answer = installed_ecgan(tmp_path, "portraits", "preview", "mine.yaml")
    assert answer.returncode == 1
    assert answer.stderr.startswith("ecgan: the portrait studio needs the package yaml; install")
    assert answer.stderr.count("\n") == 1


def test_a_broken_package_takes_nothing_away_from_ecgan(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    described = tmp_path / "broken-1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (described / "entry_points.txt").write_text("[ecgan.commands]\nbreak = no_such_module:add\n")
    answer = installed_ecgan(tmp_path, "--help")
    assert answer.returncode == 0
    assert "complete" in answer.stdout
    assert "portraits" in answer.stdout
    assert "the command 'break' of another package cannot be used: No module named 'no_such_module'" in answer.stderr
