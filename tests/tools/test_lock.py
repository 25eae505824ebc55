"""What `make` installs: everything by the hash of what was published, and nothing that is not written down."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import host, lock

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGE, FILE = "lock-test-package==1.0", "lock_test_package-1.0-py3-none-any.whl"


def pins(path: Path) -> list[lock.Pin]:
    return list(lock.pins_of(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [host.LOCK, host.CUDA_LOCK, host.BENCH_LOCK], ids=lambda path: path.name)
def test_every_pin_is_exact_and_has_hashes(path: Path) -> None:
    assert pins(path)
    for pin in pins(path):
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", pin.what), f"{pin.what} is no exact pin"
        assert pin.hashes, f"{pin.what} has no hash; run `python -m tools.lock`"
        assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in pin.hashes)
        assert len(set(pin.hashes)) == len(pin.hashes)


def test_the_bench_extra_is_locked() -> None:
    locked = {pin.what.partition("==")[0] for pin in pins(host.BENCH_LOCK)}
    project = tomllib.loads((host.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["optional-dependencies"]["bench"]
    assert locked == {canonicalize_name(Requirement(line).name) for line in wanted}


def test_comfyui_is_pinned_by_hash_too() -> None:
    assert re.fullmatch(r"[a-z-]+==[0-9.]+", host.COMFYUI_WHEEL)
    assert re.fullmatch(r"[0-9a-f]{64}", host.COMFYUI_SHA256)


def test_the_smaller_torch_is_of_the_pinned_version() -> None:
    (torch,) = [pin.what for pin in pins(host.LOCK) if pin.what.startswith("torch==")]
    (smaller,) = lock.pins_of(host.CPU_TORCH)
    assert smaller.what == f"{torch}+cpu"
    assert [len(value) for value in smaller.hashes] == [64]


def test_a_lock_reads_as_it_was_written() -> None:
    text = host.LOCK.read_text(encoding="utf-8")
    again = lock.header_of(text) + "".join(f"{pin}\n" for pin in lock.pins_of(text))
    assert again == text, "requirements.lock was not written by `python -m tools.lock`"


@pytest.mark.skipif("COMFYUI_DIR" in os.environ, reason="a ComfyUI of the user's own has its own versions")
def test_nothing_is_needed_that_is_not_locked() -> None:
    """pip is told to install no dependencies: each has to be in the lock itself."""
    locked = {
        canonicalize_name(pin.what.partition("==")[0]) for path in (host.LOCK, host.CUDA_LOCK) for pin in pins(path)
    }
    here = [
        pin.what.partition("==")[0]
        for pin in pins(host.LOCK)
        if not pin.marker or Requirement(f"x;{pin.marker}").marker.evaluate()
    ]
    assert len(here) > 80
    lacking = {
        f"{name} needs {line}"
        for name in here
        for line in importlib.metadata.requires(name) or []
        if (wanted := Requirement(line)).marker is None or wanted.marker.evaluate({"extra": ""})
        if canonicalize_name(wanted.name) not in locked
    }
    assert lacking == set()


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is all of the index, with one wheel, and beside it an environment to install it into."""
    folder = tmp_path_factory.mktemp("lock")
    files = {
        "lock_test_package.py": "",
        "lock_test_package-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: lock-test-package\nVersion: 1.0\n",
        "lock_test_package-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / FILE, "w") as wheel:
        record = []
        for name, text in files.items():
            wheel.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(text)}")
        wheel.writestr("lock_test_package-1.0.dist-info/RECORD", "\n".join([*record, ""]))
    venv.EnvBuilder(with_pip=True).create(folder / "venv")
    return folder


@pytest.mark.parametrize("right", [False, True], ids=["another hash", "the right hash"])
def test_a_file_with_another_hash_is_not_installed(
    offline: Path, right: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(host, "VENV", offline / "venv")
    for key in [key for key in os.environ if key.startswith("PIP_")]:
        monkeypatch.delenv(key)
    for key, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(offline), "PIP_CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(key, value)
    digest = hashlib.sha256((offline / FILE).read_bytes()).hexdigest()
    wanted = offline / "wanted.lock"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{digest if right else digest[::-1]}\n", encoding="utf-8")
    imported = [str(host.venv_python()), "-c", "import lock_test_package"]
    if right:
        host._install(wanted)
        assert subprocess.run(imported).returncode == 0
        return
    with pytest.raises(host.HostError, match=r"could not install what wanted\.lock pins; .* do not use it"):
        host._install(wanted)
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert subprocess.run(imported, capture_output=True).returncode == 1


def test_without_uv_the_tool_says_what_is_missing() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tools.lock", "--check"], cwd=host.ROOT, capture_output=True, text=True, env={"PATH": ""}
    )
    assert answer.returncode == 1
    assert answer.stderr == "tools.lock needs uv, which is not here: `pip install uv` puts it beside this Python.\n"
