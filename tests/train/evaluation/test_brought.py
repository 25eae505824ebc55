"""Pictures as artists bring them: each figure where its right value is known, and all of them in a report."""

from __future__ import annotations

import json

import pytest
import torch

from ecgan_core.files.checkpoint import save_checkpoint
from train.cli import main
from train.evaluation.brought import SIDE, completed, darker, glow, hole_of, measure_brought
from train.evaluation.photographs import PublicNetworks, load_photographs


@pytest.fixture
def group(photographs):
    (group,) = load_photographs(photographs, SIDE)
    return group


@pytest.mark.slow
def test_every_hole_is_measured_and_the_sheet_is_as_large_as_the_pictures(group, face_api, pipeline):
    result, sheet = measure_brought(pipeline, group, PublicNetworks(face_api, "happy"), 0.5)
    assert sheet.shape == (2, 3, 3, SIDE, SIDE)
    assert [filled.hole for filled in result.holes] == ["mouth", "lower face", "whole face"]
    for filled in result.holes:
        assert 0 < filled.psnr < 60
        assert len(filled.octaves) == 5
    assert [filled.rises is None for filled in result.holes] == [False, False, True]
    assert [filled.darker_moved is None for filled in result.holes] == [False, False, True]
    unjudged, _ = measure_brought(pipeline, group, None, 0.5)
    assert [filled.psnr for filled in unjudged.holes] == [filled.psnr for filled in result.holes]
    assert {filled.rises for filled in unjudged.holes} == {None}


def test_only_the_hole_is_filled_each_face_in_its_own_emotion(group, pipeline):
    hole = hole_of("mouth")
    filled = completed(pipeline, group.pictures, hole, group.emotion, 0.5)
    kept = hole == 0
    assert torch.equal(filled * kept, group.pictures * kept)
    other = completed(pipeline, group.pictures, hole, ["happy", "happy"], 0.5)
    assert not torch.equal(filled[0], other[0]), "it was neutral"
    assert torch.equal(filled[1], other[1])


def test_a_mouth_that_glows_is_told_from_one_that_does_not():
    hole = hole_of("mouth")
    face = torch.full((2, 3, SIDE, SIDE), 0.2)
    face[1] += 0.2 * (hole[0] > 0)
    assert glow(face, hole).tolist() == pytest.approx([1.0, 2.0])


def test_a_hole_that_is_darker_than_the_truth_is_told_by_how_much():
    hole, truth = hole_of("mouth"), torch.full((1, 3, SIDE, SIDE), 0.5)
    inside = hole > 0
    assert darker(truth, truth, hole) == 0
    assert darker(truth + 0.2 * inside, truth, hole) == 0, "it is lighter"
    assert darker(truth - 0.2 * inside, truth, hole) == pytest.approx(0.2 * 255 - 5, abs=0.5)


@pytest.mark.slow
def test_evaluate_reports_them_with_a_sheet_though_nobody_judges_them(
    photographs, data, recipe, pipeline, networks, tmp_path
):
    checkpoint, out = tmp_path / "untrained.safetensors", tmp_path / "out"
    save_checkpoint(pipeline, checkpoint)
    command = ["evaluate", str(checkpoint), str(recipe), "--data", str(data), "--out", str(out), "--pairs", "2"]
    taught = [f"--{name}={networks / name}.safetensors" for name in ("judge", "identity")]
    assert main([*command, *taught, "--brought", str(photographs)]) == 0
    (group,) = json.loads((out / "evaluation.json").read_text())["brought"]
    assert group["faces"] == 2
    assert f"| drawn (2) | mouth | {group['holes'][0]['psnr']:.1f} dB |" in (out / "evaluation.md").read_text()
    assert (out / "evaluation-brought-1.jpg").is_file()
