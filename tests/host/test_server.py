"""The harness itself: a server that cannot start says why, and none is left behind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tools.comfyui.server import Server, free_port, prepare_base
from tools.host import HostError, comfyui_dir


def test_a_failed_start_shows_the_log_and_leaves_nothing_behind(tmp_path: Path) -> None:
    prepare_base(tmp_path, pack=None)
    server = Server(tmp_path, arguments=["--no-such-argument"])
    with pytest.raises(HostError, match="no-such-argument"):
        server.start()
    assert not server.is_running()


def test_a_pack_that_cannot_be_imported_is_no_running_server(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('broken on purpose')\n", encoding="utf-8")
    prepare_base(tmp_path / "base", pack=broken, pack_name="broken")
    server = Server(tmp_path / "base")
    with pytest.raises(HostError, match="broken on purpose"):
        server.start()
    assert not server.is_running()
    assert free_port(server.port) == server.port, "somebody still listens"


def test_a_taken_port_is_not_asked_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert free_port(taken.getsockname()[1]) != taken.getsockname()[1]


def test_a_folder_that_is_no_comfyui_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_DIR", str(tmp_path))
    with pytest.raises(HostError, match=str(tmp_path)):
        comfyui_dir()
