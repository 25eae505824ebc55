"""Commands that are killed, in a process of their own, at any moment or at a chosen one.

The processes are forked from a server that has imported the trainer once, so that thirty of them are affordable.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.link", "os.chmod", "os.truncate"}
HALF = 20  # bytes that are written before a process is killed while it writes

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes as only POSIX systems have them")


class Death:
    """An audit hook that kills its process at the n-th change to a folder: before it, or where that is a file that is
    filled, in the midst of it.

    In the midst: the system itself ends a process that writes beyond RLIMIT_FSIZE, if SIGXFSZ is not ignored.
    """

    def __init__(self, folder: Path, at: int):
        self.folder, self.left = os.fspath(folder), at

    def __call__(self, event: str, arguments: tuple) -> None:
        path, mode, flags = arguments if event == "open" else (arguments[0] if arguments else None, None, 0)
        changes = event in CHANGES or flags & (os.O_WRONLY | os.O_RDWR)
        if not changes or not str(path).startswith(self.folder):
            return
        self.left -= 1
        if self.left == 0 and mode and mode[0] in "wax":
            import resource

            end = HALF + (os.stat(path).st_size if os.path.exists(path) else 0)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (end, end))
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        elif self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _live(work: Callable, arguments: tuple, folder: Path, at: int, mouth) -> None:
    os.dup2(mouth.fileno(), 1)
    os.dup2(mouth.fileno(), 2)
    import torch

    torch.set_num_threads(1)
    if at:
        sys.addaudithook(Death(folder, at))
    code = work(*arguments)
    sys.exit(code if isinstance(code, int) else 0)


def run(
    work: Callable, *arguments, folder: Path = Path("/nowhere"), at: int = 0, after: float | None = None
) -> tuple[int, str]:
    """The exit code of `work(*arguments)`, −9 or −SIGXFSZ if it was killed, and all that it said.

    Args:
        work: something that a process can import, such as a command line's `main`.
        at: kill it at this change to `folder`, counted from 1; 0: let it live.
        after: kill it after so many seconds.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["train.fit", "train.portraits.portrait", "tests.killing"])
    ear, mouth = context.Pipe(duplex=False)
    process = context.Process(target=_live, args=(work, arguments, folder, at, mouth))
    process.start()
    mouth.close()
    executioner = threading.Timer(after, process.kill) if after is not None else None
    if executioner:
        executioner.start()
    said = b""
    while heard := os.read(ear.fileno(), 2**16):  # until it and all its children are dead
        said += heard
    process.join()
    if executioner:
        executioner.cancel()
    return process.exitcode, said.decode(errors="replace")


def was_killed(code: int) -> bool:
    """Whether a process died as `run` kills."""
    return -code in (signal.SIGKILL, signal.SIGXFSZ)
