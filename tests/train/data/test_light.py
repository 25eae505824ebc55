"""Other light on faces: what it changes, what it never does, and that it is the same for any number of processes."""

from __future__ import annotations

import pytest
import torch

from train.config import load_config
from train.data.augment import change_faces, draw_change
from train.data.faces import load_faces, step_generator, to_float
from train.data.light import Light, draw_light, relight, shoulder


@pytest.fixture(scope="module")
def face(recipe, data):
    return to_float(load_faces(load_config(recipe), data).faces[:8])


def light(power=1.0, saturation=1.0, gain=None) -> Light:
    """One light for a single face."""
    return Light(torch.tensor([power]), torch.tensor([saturation]), torch.zeros(1, 3, 3) if gain is None else gain)


def test_no_other_light_leaves_all_but_the_highlights(face):
    dim = face[:1].clamp(max=0.5)
    torch.testing.assert_close(relight(dim, light()), dim, atol=1e-3, rtol=0)


def test_black_and_white_has_no_colour(face):
    grey = relight(face[:1], light(saturation=0.0))
    assert (grey.amax(dim=1) - grey.amin(dim=1)).max() < 1e-5
    assert grey.std() > 0.1


def test_light_from_the_left_darkens_the_right(face):
    gain = torch.zeros(1, 3, 3)
    gain[..., 1] = -1.0
    before = (face[:1] + 1) / 8  # far from the shoulder
    after = (relight(2 * before - 1, light(gain=gain)) + 1) / 2
    change = (after.mean(dim=(0, 1, 2)) / before.mean(dim=(0, 1, 2))).log()
    torch.testing.assert_close(change, torch.linspace(1, -1, 64), atol=0.02, rtol=0)


def test_nothing_is_clipped_to_white():
    bright = torch.linspace(0, 1.4, 100)
    shown = shoulder(bright)
    assert (shown.diff() > 0).all()
    assert shown.max() < 1
    assert torch.equal(shown[bright <= 0.85], bright[bright <= 0.85])


def test_a_face_and_its_truth_are_lit_alike_by_every_process(face):
    change = draw_change(len(face), step_generator(0, 3), light=True)
    whole = change_faces(face, change)
    for process in range(2):
        assert torch.equal(change_faces(face[process::2], change[process::2]), whole[process::2])
    assert not torch.equal(whole, change_faces(face, draw_change(len(face), step_generator(0, 3))))


def test_without_light_the_same_random_numbers_are_used_as_ever():
    plain, lit = step_generator(0, 1), step_generator(0, 1)
    one, other = draw_change(4, plain), draw_change(4, lit, light=True)
    assert torch.equal(one.place, other.place)
    assert torch.equal(one.gain, other.gain)
    assert one.light is None


def test_lights_are_of_many_kinds():
    drawn = draw_light(2000, step_generator(0, 0))
    assert 0.05 < (drawn.saturation == 0).float().mean() < 0.12
    exposure = drawn.gain[..., 0].mean(dim=1)
    assert 0.05 < (exposure < -0.6).float().mean() < 0.2, "low key"
    slope = drawn.gain[..., 1].mean(dim=1)
    assert 0.05 < (slope.abs() > 0.6).float().mean() < 0.3, "from the side"
    assert abs(slope.mean()) < 0.05, "from either"
