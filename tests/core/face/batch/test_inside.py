"""A mask that was painted beyond the jaw fills the face alone, where that is asked for."""

from __future__ import annotations

import pytest
import torch

from ecgan_core.completion import Completion
from ecgan_core.face.batch.places import places_of
from ecgan_core.face.choosing import NothingToDo
from ecgan_core.face.face_hole import face_hole
from ecgan_core.face.portrait import complete_portraits, render

INSIDE = Completion(inside_face=True)


@pytest.fixture(scope="module")
def painted() -> torch.Tensor:
    """[1,1,512,512]: from under her eyes to below her chin, across her hair on both sides."""
    mask = torch.zeros(1, 1, 512, 512)
    mask[..., 125:215, 140:300] = 1
    return mask


def test_hair_and_collar_stay_and_the_mouth_is_new(pipeline, astronaut, painted):
    loose, inside = (
        render(pipeline, complete_portraits(pipeline, astronaut, painted, emotion="angry", inside_face=inside))
        for inside in (False, True)
    )
    beyond = torch.ones(512, 512, dtype=torch.bool)
    beyond[:184, 158:280] = False
    assert torch.equal(inside[..., beyond], astronaut[..., beyond])
    assert not torch.equal(loose[..., beyond], astronaut[..., beyond])
    mouth = (..., slice(140, 155), slice(210, 240))
    assert (inside[mouth] - astronaut[mouth]).abs().mean() > 0.02


def test_it_is_the_outline_that_a_hole_of_ours_ends_at(astronaut, painted):
    [hole] = places_of(astronaut, painted, INSIDE).holes
    ours = face_hole(astronaut[0], "whole face", grow=1.0, inside_face=True)
    assert (hole[:, 130:210] - ours[:, 130:210]).abs().mean() < 0.002


def test_what_lies_inside_already_is_left_as_it_is(astronaut):
    hole = face_hole(astronaut[0], "mouth", soften=4)[None]
    assert torch.equal(places_of(astronaut, hole, INSIDE).holes, hole)


def test_where_no_outline_is_seen_none_ends_the_mask(painted):
    drawing = torch.full((1, 3, 512, 512), 0.5)
    whole = Completion(face="whole image", inside_face=True)
    assert torch.equal(places_of(drawing, painted, whole).holes, painted)


def test_a_mask_beside_the_outline_says_so(astronaut, painted):
    beside = painted.clone()
    beside[..., :260] = 0  # her hair, on the right
    beside[..., 290:] = 0
    beside[..., :170, :] = 0
    with pytest.raises(NothingToDo, match="outside the face's outline; mask a part of the face, or turn inside_face"):
        places_of(astronaut, beside, INSIDE)


def test_over_the_frames_of_a_still_head_it_holds_still(astronaut, painted):
    noise = torch.randint(-2, 3, (4, 3, 512, 512), generator=torch.Generator().manual_seed(0)) / 255
    clip = (astronaut + noise).clamp(0, 1)
    holes = places_of(clip, painted.expand(4, -1, -1, -1), Completion(inside_face=True, track=True)).holes
    assert (holes == holes[0]).all()
