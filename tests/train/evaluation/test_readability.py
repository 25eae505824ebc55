"""Whether emotions can be told apart, on the drawn faces."""

from __future__ import annotations

import json

import pytest
from PIL import Image

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


def test_expressions_with_a_side_are_told_apart_where_nothing_is_mirrored(tmp_path):
    for wink, x in (("left", 4), ("right", 20)):
        (tmp_path / "winks" / wink).mkdir(parents=True)
        for person in range(12):
            face = Image.new("RGB", (32, 32), (90 + 6 * person, 120, 120))
            face.paste((0, 0, 0), (x, 8, x + 8, 16))
            face.save(tmp_path / "winks" / wink / f"{person:02}.png")
    command = ["readability", str(tmp_path / "winks"), "--size=16", "--images=1280", "--out"]
    assert main([*command, str(tmp_path / "report.json"), "--no-mirror"]) == 0
    confusion = json.loads((tmp_path / "report.json").read_text())["confusion"]
    assert confusion[0][1] == confusion[1][0] == 0


@pytest.mark.parametrize("emotions", [["happy"], []])
def test_one_emotion_cannot_be_told_from_another(data, tmp_path, capsys, emotions):
    folder = tmp_path / "few"
    folder.mkdir()
    for emotion in emotions:
        (folder / emotion).symlink_to(data / "faces" / emotion)
    assert main(["readability", str(folder)]) == 1
    assert "two are needed" in capsys.readouterr().err
