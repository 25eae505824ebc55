"""`make bench`, small and without the models of others: that all is measured and written. No time is judged here."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image

from benchmarks import ceiling, layers
from benchmarks.__main__ import main
from benchmarks.measuring import ours, peers, report
from benchmarks.measuring.chart import seconds_text
from benchmarks.measuring.measure import Part, Settings, Table, interleaved, ratio, ratio_text, time_text
from benchmarks.measuring.memory import can_measure, in_child, peak_megabytes
from ecgan_core import DEFAULT_CHECKPOINT

CPU = Settings(torch.device("cpu"), quick=True)
OF_PEERS = {"ratio.lama.256", "ratio.mat.512", "ratio.diffusion.512"}
ONE_MB = 2**20
QUICK = ("--quick", "--cpu", "--no-peers")
MEASURED = ("ceiling", "completion", "training", "growth")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    AcceleratorState._reset_state(reset_partial_state=True)  # as if nothing had been trained in this process
    assert main([*QUICK, "--only", *MEASURED, "--out", str(folder)]) == 0
    AcceleratorState._reset_state(reset_partial_state=True)
    return folder


def test_every_goal_has_a_number_or_says_that_it_was_left_out(out: Path) -> None:
    goals = {goal["figure"]: goal for goal in json.loads((out / "bench.json").read_text(encoding="utf-8"))["goals"]}
    assert list(goals) == [goal.figure for goal in report.GOALS]
    unmeasured = OF_PEERS if can_measure(CPU.device) else {*OF_PEERS, "memory.completion"}
    for figure, goal in goals.items():
        if figure in unmeasured:
            assert goal["reached"] is None
            assert goal["met"] is None
        else:
            assert math.isfinite(goal["reached"])
            assert goal["reached"] > 0
            assert goal["met"] in (True, False)


def test_the_report_has_every_table_and_a_chart(out: Path) -> None:
    text = (out / "bench.md").read_text(encoding="utf-8")
    parts = json.loads((out / "bench.json").read_text(encoding="utf-8"))["parts"]
    titles = [table["title"] for part in parts.values() for table in part["tables"]]
    assert list(parts) == list(MEASURED)
    assert all(part["tables"] for part in parts.values())
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == ["Goals", *titles]
    assert "no figure in it means anything" in text
    assert text.count(report.NOT_MEASURED) == len(OF_PEERS) + (not can_measure(CPU.device))
    with Image.open(out / "bench.png") as chart:
        assert chart.width > 500
        assert len(chart.getcolors(chart.width * chart.height) or []) > 3


def test_a_goal_is_met_or_missed_by_its_own_sign() -> None:
    figures = {"ratio.lama.256": 1 / 7, "ratio.training": 1.4, "share.G": 0.5, "ratio.shift": 0.7}
    rows = {row[0]: row[2:] for row in report.goal_table(figures).rows}
    said = [rows[goal.words] for goal in report.GOALS if goal.figure in figures]
    assert said == [["1/7", "met"], ["0.7", "missed"], ["50%", "met"], ["1.40×", "missed"]]


def test_a_number_has_three_digits_that_count_and_no_exponent() -> None:
    assert [ratio_text(value) for value in (1 / 1368, 1 / 6.071, 0.6234, 2.5)] == ["1/1,370", "1/6.07", "0.623", "2.5"]
    assert time_text([1.0124, 0.99, 1012.4]) == "1.01 s (0.99–1,010)"
    assert seconds_text(1000) == "1,000 s"


def test_a_table_is_markdown() -> None:
    lines = report.table_lines(Table("Title", ["a", "b"], [["1", "2"]], "A note."))
    assert lines == ["## Title", "", "| a | b |", "|---|---|", "| 1 | 2 |", "", "A note."]


def test_cases_take_turns_after_a_call_that_does_not_count() -> None:
    calls: list[str] = []
    found = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 2, CPU)
    assert calls == ["a", "b", "a", "b", "a", "b"]
    assert {name: len(rounds) for name, rounds in found.items()} == {"a": 2, "b": 2}


def test_ratios_are_taken_round_by_round() -> None:
    """The machine was ten times as slow in the third round: that is no difference between the two."""
    assert ratio([1.0, 1.0, 10.0], [2.0, 2.0, 20.0]) == 0.5


@pytest.mark.skipif(not can_measure(CPU.device), reason="this system does not tell a process's peak memory")
def test_a_peak_is_seen_though_it_is_over() -> None:
    def run() -> None:
        torch.ones(64 * ONE_MB, dtype=torch.uint8)

    assert 60 < peak_megabytes(run, CPU.device) < 100
    assert 60 < peak_megabytes(run, CPU.device) < 100
    assert peak_megabytes(lambda: None, CPU.device) < 20


def test_a_child_is_another_process() -> None:
    assert in_child(os.getpid) != os.getpid()


def test_what_warms_up_is_not_what_is_measured() -> None:
    calls: list[str] = []
    interleaved({"slow": lambda: calls.append("all")}, 1, CPU, {"slow": lambda: calls.append("a step")})
    assert calls == ["a step", "all"]


def test_the_peers_have_their_true_sizes() -> None:
    """The published numbers of parameters of Stable Diffusion 1.5 inpainting; nothing is drawn or allocated."""
    with torch.device("meta"):
        unet, vae, text = peers.diffusion_networks(torch.float32)
    assert [peers.parameters(network) for network in (unet, vae, text)] == [859_535_364, 83_653_863, 123_060_480]


def test_a_peer_that_is_not_installed_is_left_out_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel_extra_arches.architectures.MAT", None)
    said = peers.peer("mat", 512, CPU)
    assert isinstance(said, str)
    assert said.startswith("mat is left out: ")
    assert "requirements-bench.lock" in said


def test_a_part_is_plain_data() -> None:
    part = Part([Table("t", ["c"], [["r"]])], {"x": 1.0})
    assert json.loads(json.dumps(part.plain()))["figures"] == {"x": 1.0}


def test_a_profile_counts_the_operations_of_the_convolutions() -> None:
    pipeline = ours.load(DEFAULT_CHECKPOINT, CPU.device, torch.float32)
    visible, hole = ours.frames(1, pipeline.frame_size, CPU.device)
    out = pipeline.encoder(visible, hole)
    code = pipeline.generator.emotion_codes[:1]
    counted = ceiling.operations(lambda: pipeline.encoder(visible, hole)) + ceiling.operations(
        lambda: pipeline.generator(out.prior.mean, code, out.features, visible, hole, scales=1)
    )
    convolutions = layers.convolutions_of(layers.profiled(CPU))
    assert sum(map(layers.operations, convolutions)) == pytest.approx(counted, rel=0.02), "but for the attention"
    [by_operation, by_convolution] = layers.measure(CPU).tables
    assert "conv" in by_operation.rows[0][0], "a convolution takes longest, whatever it is called here"
    assert by_convolution.rows[-1][:2] == ["all", str(sum(one.calls for one in convolutions))]
