"""What is drawn is as sharp as its picture; with the model that is bundled."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from skimage import data
from torch import Tensor

from ecgan_core.face.focus import SOFTEST, blurred, softness
from ecgan_core.face.frame import Frame
from ecgan_core.face.light import DRAWN_SOFTNESS, Light, light_of, luma
from ecgan_core.face.portrait import complete_portraits, render
from ecgan_core.face.regions import region_hole
from ecgan_core.face.stitch import crop

ASTRONAUT = torch.from_numpy(data.astronaut()).permute(2, 0, 1) / 255
FACE = Frame(158, 48, 132)
WHOLE = Frame(0, 0, 128)


def photograph() -> Tensor:
    """The astronaut's face in a model's pixels, [3,128,128] in 0..1."""
    return crop(ASTRONAUT, FACE, 128)


def mouth_hole() -> Tensor:
    return region_hole(WHOLE, 128, 128, "mouth")


def test_a_photograph_in_focus_has_nothing_unusual():
    assert light_of(photograph(), mouth_hole()).blur == 0
    assert softness(luma(photograph()), torch.ones(128, 128, dtype=torch.bool)) < DRAWN_SOFTNESS


@pytest.mark.parametrize("deviation", [1.5, 2.0, 3.0])
def test_how_far_it_is_out_of_focus_is_measured(deviation: float):
    soft = blurred(photograph(), deviation)
    seen = softness(luma(soft), mouth_hole()[0] == 0)
    assert seen == pytest.approx(deviation, rel=0.2)
    missing = light_of(soft, mouth_hole()).blur
    assert missing == pytest.approx((deviation**2 - DRAWN_SOFTNESS**2) ** 0.5, rel=0.35)
    dark = light_of(0.2 * soft, mouth_hole())
    assert dark.exposure
    assert dark.blur == pytest.approx(missing, rel=0.15), "in as little light as there may be"


def test_what_lies_under_the_mask_says_nothing():
    soft, hole = blurred(photograph(), 2.0), mouth_hole()
    painted = torch.where(hole > 0, (torch.arange(128) % 2).float().expand(3, 128, 128), soft)
    assert light_of(painted, hole).blur == light_of(soft, hole).blur


def test_where_no_edges_are_seen_nothing_is_blurred():
    flat = torch.full((3, 128, 128), 0.4)
    assert softness(flat[0], torch.ones(128, 128, dtype=torch.bool)) is None
    assert light_of(flat, mouth_hole()).blur == 0
    behind = blurred(photograph(), 3.0)
    hidden = region_hole(WHOLE, 128, 128, "whole face")
    assert light_of(behind, hidden).blur == 0, "a background that is out of focus says nothing about the face"


def test_a_face_that_is_enlarged_is_not_out_of_focus():
    small = crop(photograph(), WHOLE, 48)
    large = crop(small, Frame(0, 0, 48), 128)
    assert light_of(large, mouth_hole()).blur > 0, "as sharp as it can be in its picture"
    assert light_of(large, mouth_hole(), 128 / 48).blur == 0


def fineness(picture: Tensor, where: Tensor) -> Tensor:
    """How much of what is finer than two pixels there is in a part of a picture."""
    bright = luma(picture)
    return (bright - blurred(bright[None], 1.0)[0])[where].square().mean().sqrt()


def test_what_is_filled_in_is_as_soft_as_its_picture(bundled):
    large = crop(ASTRONAUT, FACE, 256)
    hole = region_hole(Frame(0, 0, 256), 256, 256, "mouth")
    filled, due = [], []
    for deviation in (0.8, 4.0):
        picture = blurred(large, deviation)
        latent = complete_portraits(bundled, picture[None], hole[None], emotion="happy", face="whole image", texture=0)
        new = latent.changed[0, 0] == 1
        filled.append(fineness(render(bundled, latent)[0], new))
        due.append(fineness(picture, new))
    assert filled[1] < 2 * due[1]
    assert filled[1] / filled[0] < 0.5


def test_a_softness_survives_its_file_and_older_ones_have_none():
    light = Light(blur=1.25)
    entry = asdict(light)
    assert Light.from_entry(entry) == light
    del entry["blur"]
    assert Light.from_entry(entry) == Light()
    for broken in (-1, SOFTEST + 1, float("nan"), "much"):
        with pytest.raises((TypeError, ValueError)):
            Light.from_entry(asdict(light) | {"blur": broken})
