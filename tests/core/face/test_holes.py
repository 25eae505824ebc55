"""Holes: where they are, how big, and that a seed decides them."""

import pytest
import torch

from ecgan_core.face import holes as masks
from ecgan_core.face.frame import FRAME


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", [*masks.REGIONS, "box", "strokes"])
@pytest.mark.parametrize("size", [64, 256])
def test_every_kind_makes_binary_holes_of_sensible_size(kind, size):
    holes = masks.hole_kind(kind)(64, size, seeded())
    assert holes.shape == (64, 1, size, size)
    assert set(holes.unique().tolist()) == {0.0, 1.0}
    share = holes.mean(dim=(1, 2, 3))
    assert share.min() > 0.005, "a hole that hides nothing"
    assert share.max() < 0.75, "a hole that leaves no context"


def covers(hole, point):
    size = hole.shape[-1]
    return bool(hole[..., int(point[1] * size), int(point[0] * size)] > 0)


def test_regions_hide_what_they_are_named_after():
    plain = {name: masks.region(name, 1, 64, seeded(), jitter=0) for name in masks.REGIONS}
    for eye in ("left eye", "right eye"):
        hidden_by = {name for name, hole in plain.items() if covers(hole, FRAME[eye])}
        assert hidden_by == {"whole face", "upper face", "eyes"}
    assert {name for name, hole in plain.items() if covers(hole, FRAME["mouth"])} == {
        "whole face",
        "lower face",
        "mouth",
    }


def test_a_mix_draws_its_kinds_and_a_seed_repeats_it():
    mix = {"mouth": 1.0, "whole face": 1.0, "box": 0.0}
    holes = masks.sample_holes(mix, 200, 64, seeded(3))
    assert torch.equal(holes, masks.sample_holes(mix, 200, 64, seeded(3)))
    big = (holes.mean(dim=(1, 2, 3)) > 0.25).float().mean()
    assert 0.35 < big < 0.65


def test_unknown_kinds_and_empty_mixes_are_refused_in_words():
    with pytest.raises(ValueError, match=r"no hole of kind 'nose'.*mouth"):
        masks.sample_holes({"nose": 1}, 1, 64, seeded())
    with pytest.raises(ValueError, match="must be above 0"):
        masks.sample_holes({"mouth": 0}, 1, 64, seeded())
