"""There are as many examples as there should be; that each test really ran its own, conftest.py sees to."""

from __future__ import annotations

import importlib

from tests.fuzz.examples import DUE, LEAST


def test_there_are_at_least_two_thousand_examples():
    for name in ("nodes", "pipeline", "config", "commands"):
        importlib.import_module(f"tests.fuzz.test_{name}")
    assert sum(DUE.values()) >= LEAST
