"""The fuzz tests' fixtures, which are those of the other tests, and the count of their examples."""

from __future__ import annotations

import pytest

from tests.core.conftest import other_pipeline, pipeline  # noqa: F401 - fixtures
from tests.fuzz.examples import DUE, RAN
from tests.host.conftest import comfyui, model, pack, tiny  # noqa: F401 - fixtures


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """A test that passed with fewer examples than it should have had has not passed."""
    name, due = getattr(getattr(item, "function", None), "examples_due", ("", 0))
    before = RAN[name]
    result = yield
    ran = RAN[name] - before
    assert ran >= due, f"{ran} examples ran where {due} are due; the strategies offer too few that differ"
    return result


def pytest_terminal_summary(terminalreporter) -> None:
    if RAN:
        terminalreporter.write_line(
            f"fuzz: {sum(RAN.values()):,} examples in {len(RAN)} tests, of {len(DUE)} collected"
        )
