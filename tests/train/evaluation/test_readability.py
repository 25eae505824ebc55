"""Whether emotions can be told apart, on the drawn faces."""

from __future__ import annotations

import json

import pytest

from train.cli import main


@pytest.mark.slow
def test_drawn_emotions_are_read_from_unseen_people(data, tmp_path, capsys):
    report = tmp_path / "report.json"
    assert main(["readability", str(data / "faces"), "--size=32", "--images=1600", "--out", str(report)]) == 0
    table = capsys.readouterr().out
    assert all(emotion in table for emotion in ("neutral", "happy", "surprised", "unseen people"))
    measured = json.loads(report.read_text())
    confusion = measured["confusion"]
    right = sum(confusion[i][i] for i in range(3))
    assert right / sum(map(sum, confusion)) > 0.6  # chance is a third


@pytest.mark.parametrize("emotions", [["happy"], []])
def test_one_emotion_cannot_be_told_from_another(data, tmp_path, capsys, emotions):
    folder = tmp_path / "few"
    folder.mkdir()
    for emotion in emotions:
        (folder / emotion).symlink_to(data / "faces" / emotion)
    assert main(["readability", str(folder)]) == 1
    assert "two are needed" in capsys.readouterr().err
