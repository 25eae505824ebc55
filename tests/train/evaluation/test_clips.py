"""Completed clips beside their truth: each figure where its right value is known, and all of them in a report."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from ecgan_core.files.checkpoint import save_checkpoint
from tools.comfyui import example
from train.cli import main
from train.evaluation.clips.clip import BadClip, load_clip
from train.evaluation.clips.steadiness import HOLES, compared

COUNT, SIDE = 3, 128


@pytest.fixture
def clip(tmp_path) -> Path:
    """A face that moves to the right by two pixels a frame, and is asked to become happy."""
    folder = tmp_path / "sway"
    (folder / "frames").mkdir(parents=True)
    with Image.open(example.PORTRAITS / "face-2.jpg") as face:
        face = face.convert("RGB").resize((SIDE, SIDE))
    rows = []
    for number, weights in enumerate(["", "0.5 happy", "1 happy"]):
        frame = Image.new("RGB", (SIDE + 40, SIDE + 20), "#888")
        frame.paste(face, (10 + 2 * number, 10))
        rows.append({"file": f"frames/{number:04d}.png", "weights": weights})
        frame.save(folder / rows[-1]["file"])
    write_index(folder, rows)
    return folder


def write_index(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["file", "weights"])
        writer.writeheader()
        writer.writerows(rows)


def test_what_flickers_is_told_from_what_only_moves():
    truth = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    holes = torch.zeros(4, 1, 16, 16)
    holes[:, :, 4:12, 4:12] = 1
    same = compared("mouth", True, truth + 0.1 * holes, truth, holes)
    assert same.flicker == pytest.approx(0, abs=1e-3)
    assert same.off == pytest.approx(0, abs=1e-3)
    assert same.psnr == pytest.approx([20.0] * 4, abs=1e-3)

    still = torch.full_like(truth, 0.5)
    swing = torch.tensor([0.0, 0.1, 0.0, 0.1]).view(-1, 1, 1, 1)
    flickering = compared("mouth", True, still + swing * holes, still, holes)
    assert flickering.of_truth == 0
    assert flickering.flicker == pytest.approx(25.5, abs=1e-3)
    assert flickering.off == pytest.approx(25.5, abs=1e-3)


def test_a_frame_that_is_left_as_it_is_does_not_count():
    still, holes = torch.full((3, 3, 8, 8), 0.5), torch.ones(3, 1, 8, 8)
    holes[2] = 0
    figures = compared("mouth", True, still + 0.1 * holes, still, holes)
    assert len(figures.psnr) == 2
    assert figures.flicker == pytest.approx(0, abs=1e-3)


def test_a_clip_is_read_as_it_was_rendered_and_what_is_none_is_said(clip):
    read = load_clip(clip, ("calm", "happy"), "calm")
    assert read.frames.shape == (COUNT, 3, SIDE + 20, SIDE + 40)
    assert read.weights == [{}, {"happy": 0.5}, {"happy": 1.0}]
    with pytest.raises(BadClip, match="there is no emotion 'happy'; known are calm"):
        load_clip(clip, ("calm",), "calm")
    with pytest.raises(BadClip, match=r"is no clip: it needs an index\.csv"):
        load_clip(clip / "frames", ("calm", "happy"), "calm")
    (clip / "frames" / "0001.png").write_bytes(b"no picture")
    with pytest.raises(BadClip, match=r"0001\.png cannot be read"):
        load_clip(clip, ("calm", "happy"), "calm")
    write_index(clip, [{"file": "frames/0000.png", "weights": ""}])
    with pytest.raises(BadClip, match="has 1 frames; two are needed"):
        load_clip(clip, ("calm", "happy"), "calm")


@pytest.mark.slow
def test_every_hole_is_measured_followed_and_not(clip, pipeline, tmp_path, capsys):
    checkpoint = tmp_path / "untrained.safetensors"
    save_checkpoint(pipeline, checkpoint)
    assert main(["steadiness", str(checkpoint), str(clip)]) == 0
    rows = [line.split(" | ")[:3] for line in capsys.readouterr().out.splitlines() if line.startswith("| sway")]
    assert rows == [[f"| sway ({COUNT})", hole, track] for hole in HOLES for track in ("yes", "no")]
    assert main(["steadiness", str(checkpoint), str(tmp_path)]) == 1
    assert "is no clip" in capsys.readouterr().err


@pytest.mark.slow
def test_noise_comes_into_the_frames_and_not_into_the_truth(clip, pipeline, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("train.evaluation.clips.steadiness.HOLES", ("mouth",))
    checkpoint = tmp_path / "untrained.safetensors"
    save_checkpoint(pipeline, checkpoint)
    changes = []
    for noise in ("0", "20"):
        assert main(["steadiness", str(checkpoint), str(clip), "--noise", noise]) == 0
        [row] = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if "| mouth | yes |" in line]
        changes.append((float(row[3]), float(row[4])))
    (plain, truth), (with_noise, same_truth) = changes
    assert with_noise != plain
    assert same_truth == pytest.approx(truth, rel=0.2)  # in a hole that may lie a little otherwise
    assert main(["steadiness", str(checkpoint), str(clip), "--noise", "-1"]) == 1
    assert "the noise must be from 0 to 255, but it is -1" in capsys.readouterr().err


@pytest.mark.slow
def test_evaluate_reports_them_with_a_sheet(clip, data, recipe, pipeline, networks, tmp_path):
    checkpoint, out = tmp_path / "untrained.safetensors", tmp_path / "out"
    save_checkpoint(pipeline, checkpoint)
    command = ["evaluate", str(checkpoint), str(recipe), "--data", str(data), "--out", str(out), "--pairs", "2"]
    taught = [f"--{name}={networks / name}.safetensors" for name in ("judge", "identity")]
    assert main([*command, *taught, "--clip", str(clip)]) == 0
    [measured] = json.loads((out / "evaluation.json").read_text())["clips"]
    assert measured["source"] == "sway"
    assert [figures["hole"] for figures in measured["figures"]] == [hole for hole in HOLES for _ in range(2)]
    assert (
        f"| sway ({COUNT}) | mouth | yes | {measured['figures'][0]['change']:.2f} |"
        in (out / "evaluation.md").read_text()
    )
    assert (out / "evaluation-clip-1.jpg").is_file()
