"""A ComfyUI server as a process: its folder, its start, its end.

    with Server(base) as server:
        run = server.client.run(prompt)

The server lives in a base directory of its own, so that neither an installed ComfyUI's models nor its settings are
touched. It listens on loopback only, and it never outlives the `with`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tools.comfyui.client import Client
from tools.host import ROOT, HostError, comfyui_dir

FOLDERS = ("custom_nodes", "user/default/workflows", "user/default/subgraphs", "input", "output", "models", "temp")

# Keeps ComfyUI's first-run dialogs from covering the graph.
SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.InstalledVersion": "1.32.9",
    "Comfy.Release.Status": "skip",
    "Comfy.Notification.ShowVersionUpdates": False,
    "Comfy.Workflow.Persist": False,
}


@cache
def _has_accelerator() -> bool:
    """Asked in a process of its own, whose seconds of importing torch and memory nobody else needs."""
    ask = "import torch; print(torch.cuda.is_available() or torch.backends.mps.is_available())"
    return subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout.strip() == "True"


def prepare_base(base: Path, pack: Path | None = ROOT, pack_name: str = "comfy_ecgan") -> None:
    """Make `base` a folder that ComfyUI can start in, with `pack` linked into its custom_nodes as `pack_name`."""
    for folder in FOLDERS:
        (base / folder).mkdir(parents=True, exist_ok=True)
    settings = base / "user" / "default" / "comfy.settings.json"
    if not settings.exists():
        settings.write_text(json.dumps(SETTINGS, indent=2), encoding="utf-8")
    if pack is not None:
        _link(pack, base / "custom_nodes" / pack_name)


def _link(pack: Path, place: Path) -> None:
    if place.is_symlink() or place.exists():
        if place.resolve() == pack.resolve():
            return
        if not place.is_symlink():
            raise HostError(f"{place} is not a link to {pack}: move it away.")
        place.unlink()
    if os.name == "nt":  # a junction needs no administrator, a symbolic link does
        subprocess.run(["cmd", "/c", "mklink", "/J", str(place), str(pack)], check=True, stdout=subprocess.DEVNULL)
    else:
        place.symlink_to(pack, target_is_directory=True)


def free_port(preferred: int = 0) -> int:
    """`preferred` if nobody listens there, else a port that the system chooses."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            if os.name == "posix":  # as the server will: a connection that is only lingering there is no listener
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise HostError("No free port on 127.0.0.1.")


class Server:
    """A ComfyUI server; a context manager that starts it on entry and stops it on exit, whatever the reason.

    Args:
        base: its base directory, made ready by `prepare_base`.
        port: listen here if it is free; 0 takes any free port.
        arguments: more of ComfyUI's own command-line arguments; those in the environment's `COMFYUI_ARGS` follow.
    """

    def __init__(self, base: Path, *, port: int = 0, arguments: Sequence[str] = ()) -> None:
        self.base = base.resolve()
        self.port = free_port(port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = Client(self.url)
        self.log = self.base / "server.log"
        self._arguments = [*arguments, *shlex.split(os.environ.get("COMFYUI_ARGS", ""))]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, timeout: float = 180.0) -> None:
        """Start, and return when the server answers and has loaded our pack.

        Raises:
            HostError: it ended, stayed silent for `timeout` seconds, or could not load a pack; with its last words.
        """
        command = [sys.executable, str(comfyui_dir() / "main.py"), *self._options()]
        with open(self.log, "wb") as log:
            # In a session of its own: Ctrl-C reaches this program alone, which then ends the server in order.
            self._process = subprocess.Popen(
                command, cwd=self.base, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            self._wait_until_ready(timeout)
        except BaseException:
            self.stop()
            raise

    def _options(self) -> list[str]:
        options = ["--base-directory", str(self.base), "--listen", "127.0.0.1", "--port", str(self.port)]
        options += ["--disable-auto-launch", "--disable-api-nodes", "--database-url", "sqlite:///:memory:"]
        if "--cpu" not in self._arguments and not _has_accelerator():
            options.append("--cpu")
        return options + self._arguments

    def _wait_until_ready(self, timeout: float) -> None:
        assert self._process is not None
        deadline = time.monotonic() + timeout
        while not self.client.is_up():
            if self._process.poll() is not None:
                raise HostError(f"ComfyUI ended while starting (exit code {self._process.returncode}).\n{self.tail()}")
            if time.monotonic() > deadline:
                raise HostError(f"ComfyUI did not answer within {timeout:.0f} seconds.\n{self.tail()}")
            time.sleep(0.2)
        failed = [line for line in self._log_lines() if "(IMPORT FAILED)" in line]
        if failed:
            raise HostError(f"ComfyUI could not load {failed[0].split()[-1]}.\n{self.tail(60)}")

    @property
    def pid(self) -> int:
        """Of the server's process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait(self) -> int:
        """Until the server ends by itself; its exit code."""
        assert self._process is not None
        return self._process.wait()

    def stop(self) -> None:
        """End the server and all that it started; harmless when it has ended already."""
        process, self._process = self._process, None
        if process is None:
            return
        for end, patience in ((signal.SIGTERM, 10.0), (getattr(signal, "SIGKILL", signal.SIGTERM), 10.0)):
            if process.poll() is not None:
                break
            process.send_signal(end)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue

    def tail(self, lines: int = 30) -> str:
        """The last lines of the server's log, for a person to read."""
        return "\n".join([f"-- the end of {self.log}", *self._log_lines()[-lines:], "--"])

    def _log_lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []


def copy_into(folder: Path, *files: Path) -> None:
    """Copy `files` into `folder`, replacing those of the same name."""
    for file in files:
        shutil.copyfile(file, folder / file.name)
