"""What a stint of training brings back goes on where it stopped, whole or not at all."""

from __future__ import annotations

import pytest

from tools import stint


@pytest.fixture
def run(tmp_path):
    """The folder of a run with two stages, as the trainer leaves it."""
    for name, content in {
        "first/config.yaml": b"seed: 0",
        "first/first.safetensors": b"weights",
        "second/state-000000100.safetensors": b"older",
        "second/state-000000200.safetensors": bytes(range(256)) * 200_000,  # over three pieces
        "second/grid-0000100.jpg": b"older",
        "second/grid-0000200.jpg": b"newer",
        "second/metrics.jsonl": b"{}\n",
    }.items():
        (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / name).write_bytes(content)
    return tmp_path / "run"


def contents(folder):
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_what_was_packed_comes_back_without_what_is_older(run, tmp_path):
    stint.pack(run, tmp_path / "out")
    assert max(f.stat().st_size for f in (tmp_path / "out").iterdir()) <= 16 * 2**20
    stint.take(tmp_path / "out", tmp_path / "back")
    before = contents(run)
    older = {"second/state-000000100.safetensors", "second/grid-0000100.jpg"}
    assert contents(tmp_path / "back") == {name: content for name, content in before.items() if name not in older}


def test_a_damaged_piece_is_told_and_nothing_is_written(run, tmp_path):
    stint.pack(run, tmp_path / "out")
    (tmp_path / "out" / "000-00.part").write_bytes(b"seed: 1")
    with pytest.raises(ValueError, match=r"first/config\.yaml"):
        stint.take(tmp_path / "out", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_an_index_cannot_write_elsewhere(run, tmp_path):
    stint.pack(run, tmp_path / "out")
    index = tmp_path / "out" / stint.INDEX
    index.write_text(index.read_text().replace("first/config.yaml", "../elsewhere.yaml"))
    with pytest.raises(ValueError, match="outside the run"):
        stint.take(tmp_path / "out", tmp_path / "back")
    assert not (tmp_path / "elsewhere.yaml").exists()
