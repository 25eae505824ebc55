"""Faces and holes change together, by numbers that no device and no number of processes alters."""

from __future__ import annotations

import pytest
import torch

from ecgan_core.face.holes import region, sample_holes
from train.config import TrainConfig, load_config
from train.data.augment import Change, augment, change_faces, change_holes, draw_change
from train.data.faces import load_faces, step_generator, to_float
from train.evaluation.octaves import octaves_in


@pytest.fixture(scope="module")
def face(recipe, data):
    return to_float(load_faces(load_config(recipe), data).faces[:8])


def test_a_process_that_changes_its_share_gets_what_the_whole_batch_would_give(face):
    whole = augment(face, step_generator(0, 3))
    change = draw_change(len(face), step_generator(0, 3))
    for process in range(2):
        mine = slice(process, None, 2)
        assert torch.equal(change_faces(face[mine], change[mine]), whole[mine])


def test_a_hole_moves_with_its_face(face):
    hole = region("mouth", len(face), 64, torch.Generator(), jitter=0)
    marked = hole.expand(-1, 3, -1, -1) * 2 - 1  # a face that is white where the hole is
    change = draw_change(len(face), step_generator(0, 1), strength=3)
    moved = change_holes(hole, change)
    assert set(moved.unique().tolist()) == {0.0, 1.0}
    seen = change_faces(marked, change).mean(dim=1, keepdim=True)
    assert ((seen > 0) == (moved > 0)).float().mean() > 0.99
    assert not torch.equal(moved, hole)


def test_a_face_that_is_moved_is_as_sharp_as_before(face):
    """A truth that lost its finest octave on the way asks for blur; by bilinear samples a third of it is gone."""
    whole = torch.ones(1, 1, 64, 64)
    place = draw_change(len(face), step_generator(0, 4)).place
    moved = change_faces(face, Change(place, torch.ones(len(face), 3), torch.zeros(len(face))))
    finest = octaves_in(moved, face, whole)[:, 2]
    assert 0.85 < finest.median() < 1.1


def test_who_has_a_side_is_not_mirrored():
    sides = [draw_change(64, step_generator(0, 5), mirror=mirror).place[:, 0, 0] < 0 for mirror in (True, False)]
    assert 16 < sides[0].sum() < 48
    assert not sides[1].any()


def test_strength_decides_how_much_and_zero_only_mirrors(face):
    difference = {}
    for strength in (0, 1, 3):
        changed = change_faces(face, draw_change(len(face), step_generator(0, 2), strength))
        nearest = torch.minimum(*((changed - other).abs().mean(dim=(1, 2, 3)) for other in (face, face.flip(-1))))
        difference[strength] = nearest.mean().item()
    assert difference[0] < 1e-5
    assert difference[0] < difference[1] < difference[3]


def test_gradients_flow_through_to_the_face(face):
    leaf = face.clone().requires_grad_()
    change_faces(leaf, draw_change(len(face), step_generator(0, 0))).sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.abs().amax(dim=(1, 2, 3)).gt(0).all()


def test_the_pixels_are_made_where_the_face_is_and_the_numbers_are_the_same():
    """On torch's device without memory: whatever touched a pixel on the CPU would fail."""
    here, there = step_generator(0, 0), step_generator(0, 0)
    augment(torch.zeros(4, 3, 64, 64), here)
    assert augment(torch.zeros(4, 3, 64, 64, device="meta"), there).device.type == "meta"
    sample_holes(TrainConfig().holes, 16, 64, here)
    assert sample_holes(TrainConfig().holes, 16, 64, there, device="meta").device.type == "meta"
    assert torch.equal(torch.rand(4, generator=here), torch.rand(4, generator=there))
