"""A rendered clip: what moves, what does not, and what is said of keyframes that are none."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from ecgan_core.emotions.keyframes import parse_keyframes
from train.cli import main
from train.portraits.clip import COLUMNS, ClipFrame, write_clip

RECIPE = """
seed: 40
emotions:
  neutral: {eyeWide: .18}
  happy: {mouthSmile: .95, mouthUpperUp: .6}
  gape: {jawOpen: .9}
"""
STILL = {"turn": 0, "light": 0, "blink": 0}


@pytest.fixture
def make(tmp_path, capsys):
    """Frames [N,64,64,3] and rows of a clip of some keyframes."""
    (tmp_path / "mine.yaml").write_text(RECIPE)

    def call(keyframes: str, name: str = "clip", **options: object) -> tuple[np.ndarray, list[dict[str, str]]]:
        (tmp_path / "keys.txt").write_text(keyframes)
        out = tmp_path / name
        given = [f"--{option}={value}" for option, value in {"size": 64, **options}.items()]
        keys = str(tmp_path / "keys.txt")
        status = main(["clip", str(tmp_path / "mine.yaml"), "--keyframes", keys, "--out", str(out), *given])
        if status:
            raise ValueError(capsys.readouterr().err)
        with (out / "index.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["file"] for row in rows] == [f"frames/{n:04d}.png" for n in range(len(rows))]
        with Image.open(out / "clip.webp") as shown:
            assert shown.size == (64, 64)
        return np.stack([np.asarray(Image.open(out / row["file"])) for row in rows]), rows

    return call


def test_only_what_is_to_move_moves(make) -> None:
    frames, rows = make("0: neutral\n1: gape\n2: 0.5 happy + 0.5 gape\n3: neutral", **STILL, easing="hold", frames=5)
    assert len(frames) == 5
    assert tuple(rows[0]) == COLUMNS
    assert [row["weights"] for row in rows] == ["", "1 gape", "0.5 happy + 0.5 gape", "", ""]
    assert np.array_equal(frames[0], frames[3]), "the same expression is the same picture, whatever came between"
    assert np.array_equal(frames[3], frames[4])
    moved = (frames[1].astype(int) - frames[0]).__abs__().max(axis=(1, 2))
    assert moved[36:52].max() > 30, "the jaw drops"
    assert moved[:16].max() <= 4, "and the hair stays"


def test_the_head_turns_the_eyes_blink_and_the_light_moves(make) -> None:
    frames, rows = make("0: neutral", frames=12, blink=6)
    yaws, boxes = ([float(row[name]) for row in rows] for name in ("yaw", "box_x"))
    assert max(yaws) == pytest.approx(15)
    assert min(yaws) == pytest.approx(-15)
    assert np.corrcoef(yaws, boxes)[0, 1] > 0.99, "the face goes where the head turns"
    assert [float(row["blink"]) for row in rows] == [0.7, 0.3, 0, 0.45, 1, 1] * 2
    there, back = make("0: neutral", "light", frames=2, turn=0, blink=0)[0].astype(int)
    assert abs(there - back)[20:44, 20:44].mean() > 3
    assert not np.array_equal(frames[0], frames[6])


def test_the_index_says_weights_as_keyframes_are_read(tmp_path) -> None:
    course = [
        {"happy": 7.5e-5, "gape": 1.0},
        {"happy": 0.6, "gape": -0.2},
        {"happy": -1.25, "gape": 0.0},
        {"happy": 0.0},
        {"gape": 10.0},
    ]
    black = np.zeros((8, 8, 3), np.uint8)
    write_clip((ClipFrame(black, weights, 0, 0, (0, 0, 8, 8)) for weights in course), tmp_path / "clip", 12)
    with (tmp_path / "clip" / "index.csv").open(newline="", encoding="utf-8") as file:
        shown = [row["weights"] for row in csv.DictReader(file)]
    assert shown == ["0.000075 happy + 1 gape", "0.6 happy - 0.2 gape", "-1.25 happy", "", "10 gape"]
    text = "\n".join(f"{number}: {weights or 'neutral'}" for number, weights in enumerate(shown))
    read = parse_keyframes(text, ("neutral", "happy", "gape"), "neutral")
    assert [key.weights for key in read] == [{n: w for n, w in weights.items() if w} for weights in course]


def test_what_does_not_fit_is_said(make, tmp_path) -> None:
    with pytest.raises(ValueError, match=r"keys\.txt: line 2: there is no emotion 'hapy'; known are neutral, happy"):
        make("0: neutral\n2: hapy")
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "kept.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"there is something in .*clip already; give another --out"):
        make("0: neutral")
    assert sorted(file.name for file in (tmp_path / "clip").iterdir()) == ["kept.txt"]
