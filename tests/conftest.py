"""One real ComfyUI for all tests that need a server; it starts at the first of them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.comfyui import example
from tools.comfyui.server import Server, prepare_base
from tools.host import ROOT

# Whoever is started in the background of a script ignores Ctrl-C, and so does all that it starts, such as the commands
# that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A user may clone the pack under any name, so the tests do.
PACK_NAME = "faces-of-mine"


class RootIsNoTestPackage:
    """Keeps pytest from importing the door, our root's `__init__.py`, under its folder's name, which may be `comfy`."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Dir | None:
        return pytest.Dir.from_parent(parent, path=path) if path == ROOT else None


# Tests that need a ComfyUI, a browser, the renderer, disks of their own, killed processes, or a thousand tries.
SLOW_FOLDERS = {"browser", "fuzz", "host", "portraits"}
SLOW_FILES = ("test_bench", "test_disk", "test_killed", "test_lock", "test_packaging", "test_processes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in SLOW_FILES or SLOW_FOLDERS & set(item.path.relative_to(ROOT).parts):
            item.add_marker(pytest.mark.slow)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What `make check` leaves out is not even imported there."""
    return True if collection_path.name in SLOW_FOLDERS and config.option.markexpr == "not slow" else None


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(RootIsNoTestPackage())


def shorten(clip: Path, frames: int) -> None:
    """Leave a clip its first frames, so that an example that completes each of them takes no minute."""
    import av  # of ComfyUI, which not every test needs

    with av.open(clip) as whole:
        rate = whole.streams.video[0].average_rate
        first = [frame for _, frame in zip(range(frames), whole.decode(video=0), strict=False)]
    with av.open(clip, "w") as short:
        stream = short.add_stream("libx264", rate=rate, width=first[0].width, height=first[0].height)
        for frame in first:
            short.mux(stream.encode(av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24"))))
        short.mux(stream.encode())


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("comfyui")
    prepare_base(base, pack_name=PACK_NAME)
    example.prepare_inputs(base / "input")
    shorten(base / "input" / "clip-1.mp4", frames=8)
    with Server(base) as running:
        yield running


@pytest.fixture(scope="session")
def pack_name() -> str:
    return PACK_NAME
