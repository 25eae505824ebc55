from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from ecgan_core.face.finder.blazeface import MESH_SIDE, WEIGHTS, networks
from tools.weights.finder import DETECTOR_SIDE, PORTRAITS, REFERENCE, WHEEL, picture


def seen(name: str, side: int) -> torch.Tensor:
    return torch.from_numpy(picture(name, side)).permute(0, 3, 1, 2).contiguous()


@pytest.mark.parametrize("name", PORTRAITS)
def test_the_detector_answers_as_the_original_runtime_does(name):
    reference = load_file(REFERENCE)
    scores, places = networks().detector.raw(2 * seen(name, DETECTOR_SIDE) - 1)
    torch.testing.assert_close(scores[0], reference[f"{name}.scores"], atol=1e-3, rtol=1e-4)
    best = reference[f"{name}.best"]
    torch.testing.assert_close(places[0, best], reference[f"{name}.places"], atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("name", PORTRAITS)
def test_the_mesh_answers_as_the_original_runtime_does(name):
    reference = load_file(REFERENCE)
    points, sureness = networks().mesh(seen(name, MESH_SIDE))
    torch.testing.assert_close(points.flatten(), reference[f"{name}.points"], atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(sureness, reference[f"{name}.sureness"], atol=1e-3, rtol=1e-4)


def test_one_picture_is_seen_alike_alone_and_in_a_batch():
    pictures = 2 * torch.cat([seen(name, DETECTOR_SIDE) for name in PORTRAITS]) - 1
    together = networks().detector(pictures)
    for picture_, found in zip(pictures, together, strict=True):
        [alone] = networks().detector(picture_[None])
        torch.testing.assert_close(found.scores, alone.scores, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(found.keypoints, alone.keypoints, atol=1e-3, rtol=1e-4)


def test_a_larger_picture_is_looked_at_in_the_same_way():
    portrait = 2 * seen(PORTRAITS[0], DETECTOR_SIDE) - 1
    wide = torch.zeros(1, 3, 256, 384)
    wide[..., 64:192, 128:256] = portrait
    [alone], [inside] = networks().detector(portrait), networks().detector(wide)
    best, moved = alone.scores.argmax(), inside.scores.argmax()
    torch.testing.assert_close(
        inside.boxes[moved], alone.boxes[best] + torch.tensor([[128.0, 64.0], [0, 0]]), atol=3.0, rtol=0
    )


def test_where_the_weights_come_from_is_written_beside_them():
    card = WEIGHTS.with_name("finder.md").read_text(encoding="utf-8")
    assert WHEEL.sha256 in card
    assert "Apache License 2.0" in card
