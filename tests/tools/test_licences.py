"""What we depend on may be used by everybody for anything."""

from __future__ import annotations

import pytest

from tools import licences


def test_all_that_running_and_training_needs_is_permissive() -> None:
    table = licences.rows()
    uses = {name: use for name, _, _, use in table}
    assert uses["diffusers"] == uses["torch"] == uses["numpy"] == "run"
    assert uses["accelerate"] == "train"
    assert uses["pytest"] == "dev"
    assert licences.refused(table) == []


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("Apache-2.0 AND (MIT OR GPL-2.0-only)", True),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-only", False),
        ("?", False),
        ("", False),
    ],
)
def test_an_expression_is_allowed_as_a_whole(expression: str, allowed: bool) -> None:
    assert licences.is_allowed(expression) is allowed
    for use, said in (("run", not allowed), ("train", not allowed), ("host", False), ("dev", False)):
        assert bool(licences.refused([("x", "1", expression, use)])) is said


def test_the_command_fails_with_a_sentence(monkeypatch, capsys) -> None:
    monkeypatch.setattr(licences, "ALLOWED", licences.ALLOWED - {"Apache-2.0"})
    assert licences.main() == 1
    said = capsys.readouterr()
    assert "diffusers" in said.out
    assert "diffusers" in said.err
    monkeypatch.undo()
    assert licences.main() == 0
