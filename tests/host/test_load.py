"""Many prompts at once, wrong and interrupted ones among them, while a model file is replaced: `benchmarks/load.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import load
from benchmarks.measuring import load_cases
from benchmarks.measuring.load_drive import drive, mine
from tools.comfyui.server import Server

PROMPTS = 14


@pytest.fixture
def loaded(server: Server) -> Iterator[Server]:
    load_cases.prepare_inputs(server.base / "input")
    server.client.run(load_cases.first().prompt)
    yield server
    mine(server).unlink(missing_ok=True)  # other tests count the models


def test_every_prompt_ends_as_it_should(loaded: Server) -> None:
    log = drive(loaded, load_cases.cases(PROMPTS, seed=2), seed=2)
    assert load.problems(loaded, log) == []
    assert len(log.ended) == PROMPTS
    outcomes = {outcome for kind in load.table(loaded, log).values() for outcome in kind}
    assert outcomes == {"done", "failed", "interrupted"}, "the load has to have all of it"
    assert log.replaced >= 3
    half = PROMPTS // 2
    assert max(log.memory[half:]) - max(log.memory[:half]) < 250 * 2**20, "benchmarks.load has the tight bound"
