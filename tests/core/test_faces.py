from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data

from ecgan_core.faces import (
    Box,
    Frame,
    NoFaceFound,
    blend_weights,
    choose_face,
    crop,
    find_faces,
    frame_of_face,
    frame_of_image,
    stitch,
)
from ecgan_core.frame import FRAME

EYES = ((203, 101), (247, 103))  # (x, y) of the astronaut's left and right eye in skimage's picture, read off by hand
MOUTH = (226, 145)


def test_the_frame_of_a_photograph_has_the_face_where_the_model_expects_it():
    frame = frame_of_face(find_faces(data.astronaut())[0])
    for (x, y), place in ((EYES[0], "left eye"), (EYES[1], "right eye"), (MOUTH, "mouth")):
        expected_x, expected_y = FRAME[place]
        assert (x - frame.x) / frame.side == pytest.approx(expected_x, abs=0.06), place
        assert (y - frame.y) / frame.side == pytest.approx(expected_y, abs=0.06), place


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_face_is_found_at_any_size_of_the_picture(scale):
    picture = data.astronaut()[:256, 96:352]
    frame = frame_of_face(find_faces(picture.repeat(scale, axis=0).repeat(scale, axis=1))[0])
    reference = frame_of_face(find_faces(picture)[0])
    assert np.allclose(
        np.array([frame.x, frame.y, frame.side]) / scale, [reference.x, reference.y, reference.side], atol=8
    )


def test_a_face_that_fills_its_picture_is_found():
    assert find_faces(data.astronaut()[70:185, 168:282])


def test_no_face_in_a_picture_without_one():
    assert find_faces(np.full((200, 300, 3), 127, np.uint8)) == []
    with pytest.raises(NoFaceFound, match="no face was found in the picture; give a box around the face"):
        choose_face([], torch.zeros(1, 200, 300))


def test_the_face_in_the_hole_is_chosen_then_the_largest():
    small, large = Box(10, 10, 40, 40), Box(100, 10, 60, 60)
    hole = torch.zeros(1, 200, 200)
    assert choose_face([small, large], hole) == large
    hole[:, 20:40, 20:40] = 1
    assert choose_face([small, large], hole) == small


def test_a_box_needs_a_size():
    with pytest.raises(ValueError, match="wider and higher than 0"):
        Box(1, 2, 0, 5)


def test_frames_of_whole_pictures():
    assert frame_of_image(100, 60) == Frame(-20, 0, 100)
    assert frame_of_image(64, 64) == Frame(0, 0, 64)


def test_a_crop_repeats_the_edge_of_the_picture():
    picture = torch.arange(12.0).reshape(1, 3, 4)
    assert crop(picture, Frame(-2, 1, 4), 4).tolist() == [
        [[4, 4, 4, 5], [8, 8, 8, 9], [8, 8, 8, 9], [8, 8, 8, 9]],
    ]
    assert crop(picture, Frame(-2, 1, 4), 2).shape == (1, 2, 2)


def test_stitching_changes_nothing_outside_the_hole_and_everything_inside():
    picture = torch.rand(3, 80, 100)
    hole = torch.zeros(1, 80, 100)
    hole[:, 30:50, 40:60] = 1
    frame = Frame(20, 10, 60)
    stitched = stitch(picture, torch.full((3, 16, 16), 0.25), hole, frame)
    outside = (hole == 0).expand(3, -1, -1)
    assert torch.equal(stitched[outside], picture[outside])
    assert torch.allclose(stitched[~outside], torch.tensor(0.25))


def test_soft_mask_values_blend():
    hole = torch.zeros(1, 8, 8)
    hole[:, 2:6, 2:6] = 0.5
    stitched = stitch(torch.zeros(3, 8, 8), torch.ones(3, 8, 8), hole, Frame(0, 0, 8))
    assert torch.equal(stitched, hole.expand(3, -1, -1))


def test_feather_climbs_inside_the_hole_only():
    hole = torch.zeros(1, 40, 40)
    hole[:, 10:30, 10:30] = 1
    weights = blend_weights(hole, Frame(0, 0, 40), feather=4)[0]
    assert weights[20, 8:16].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert torch.equal(weights > 0, hole[0] > 0)


def test_a_thin_hole_is_filled_whatever_the_feather():
    hole = torch.zeros(1, 40, 40)
    hole[:, 20:23, 5:35] = 1
    assert blend_weights(hole, Frame(0, 0, 40), feather=30)[0, 21, 20] == 1


def test_the_feather_also_softens_where_the_frame_cuts_the_hole_but_not_at_the_edge_of_the_picture():
    everything = torch.ones(1, 40, 40)
    weights = blend_weights(everything, Frame(-10, 0, 30), feather=4)[0]
    assert weights[10, 0] == 1, "nothing lies beyond the left edge of the picture"
    assert weights[10, 14:21].tolist() == [1, 1, 1, 0.75, 0.5, 0.25, 0]
    assert not weights[:, 20:].any(), "beyond its frame the model has nothing to say"


def test_a_frame_beside_the_picture_changes_nothing():
    picture = torch.rand(3, 20, 20)
    assert torch.equal(stitch(picture, torch.zeros(3, 8, 8), torch.ones(1, 20, 20), Frame(50, 50, 8)), picture)
