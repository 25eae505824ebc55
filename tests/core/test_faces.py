from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from ecgan_core.face import cascade
from ecgan_core.face.finding import (
    Box,
    NoFaceFound,
    choose_face,
    choose_faces,
    faces_near,
    find_faces,
    frame_of_face,
    is_sure,
    level,
    likely,
)
from ecgan_core.face.frame import FRAME, Frame, frame_of_image

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


@pytest.mark.slow
def test_no_face_in_a_picture_without_one():
    assert find_faces(np.full((200, 300, 3), 127, np.uint8)) == []
    with pytest.raises(NoFaceFound, match="no face was found in the picture; give a box around the face"):
        choose_face([], torch.zeros(1, 200, 300))


def tilted(degrees: float) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """The astronaut turned clockwise, and where her eyes and mouth are then."""
    picture = data.astronaut()[:320, 66:386]
    turn = math.radians(degrees)
    marks = []
    for x, y in (*EYES, MOUTH):
        right, below = x - 66 - 160, y - 160
        marks.append(
            (
                160 + right * math.cos(turn) - below * math.sin(turn),
                160 + right * math.sin(turn) + below * math.cos(turn),
            )
        )
    return np.asarray(Image.fromarray(picture).rotate(-degrees, Image.Resampling.BICUBIC)), marks


@pytest.mark.parametrize("degrees", [-45, -30, -15, 20, 40])
def test_a_tilted_face_is_found_and_its_frame_stands_as_the_face_does(degrees):
    picture, marks = tilted(degrees)
    frame = frame_of_face(level(picture, find_faces(picture)[0]))
    assert frame.roll == pytest.approx(degrees + 3, abs=6), "her head is tilted by 3° to begin with"
    turn, (middle_x, middle_y) = math.radians(frame.roll), frame.centre
    for (x, y), place in zip(marks, ("left eye", "right eye", "mouth"), strict=True):
        right, below = (x - middle_x) / frame.side, (y - middle_y) / frame.side
        upright = right * math.cos(turn) + below * math.sin(turn), below * math.cos(turn) - right * math.sin(turn)
        assert 0.5 + upright[0] == pytest.approx(FRAME[place][0], abs=0.09), place
        assert 0.5 + upright[1] == pytest.approx(FRAME[place][1], abs=0.09), place


def test_an_upright_face_is_left_as_the_finder_saw_it():
    picture = data.astronaut()
    [face, *_] = find_faces(picture)
    assert level(picture, face) == face
    assert face.roll == 0


def test_a_given_box_is_levelled_where_it_is_unless_it_says_how():
    picture, _ = tilted(35)
    found = find_faces(picture)[0]
    given = Box(found.x + 3, found.y - 2, found.width + 8, found.height + 4)
    levelled = level(picture, given)
    assert levelled.roll == pytest.approx(38, abs=6)
    assert (levelled.x, levelled.y, levelled.width, levelled.height) == (given.x, given.y, given.width, given.height)
    told = Box(*(given.x, given.y, given.width, given.height), roll=-20)
    assert level(picture, told) == told


def test_weak_boxes_and_those_on_a_surer_one_do_not_count():
    face, ghost, chance = Box(50, 50, 60, 60, hits=60), Box(65, 62, 60, 60, hits=40), Box(140, 50, 40, 40, hits=5)
    hole = torch.zeros(1, 200, 200)
    hole[:, 60:120, 60:180] = 1
    assert likely([ghost, chance, face]) == [face]
    assert choose_faces([ghost, chance, face], hole) == [face]
    assert choose_faces([face, Box(140, 50, 40, 40, hits=30)], hole) == [face, Box(140, 50, 40, 40, hits=30)]
    hole[:, :, :130] = 0
    assert choose_face([face, chance], hole) == chance, "a weak box is better than none under the hole"
    hole[:] = 0
    hole[:, :, 195:] = 1
    assert choose_face([face, chance], hole) == face
    with pytest.raises(NoFaceFound, match="no face was found"):
        choose_face([chance], hole)


def test_a_further_face_counts_only_if_the_hole_covers_some_of_it():
    left, right = Box(20, 50, 60, 60), Box(120, 50, 60, 60)
    hole = torch.zeros(1, 200, 200)
    hole[:, 80:100, 30:70] = 1
    hole[:, 80:85, 125:130] = 1
    assert choose_faces([right, left], hole) == [left], "25 pixels are a slip of the brush"
    hole[:, 80:90, 125:135] = 1
    assert choose_faces([right, left], hole) == [left, right]


def test_the_face_in_the_hole_is_chosen_then_the_largest():
    small, large = Box(10, 10, 40, 40), Box(100, 10, 60, 60)
    hole = torch.zeros(1, 200, 200)
    assert choose_face([small, large], hole) == large
    hole[:, 20:40, 20:40] = 1
    assert choose_face([small, large], hole) == small


def test_a_box_needs_a_size_and_numbers():
    with pytest.raises(ValueError, match="wider and higher than 0"):
        Box(1, 2, 0, 5)
    with pytest.raises(ValueError, match="finite"):
        Box(math.nan, 2, 5, 5)


def test_frames_of_whole_pictures():
    assert frame_of_image(100, 60) == Frame(-20, 0, 100)
    assert frame_of_image(64, 64) == Frame(0, 0, 64)


def on_a_wall() -> np.ndarray:
    """The astronaut's face, a fifth of a wide picture of noise."""
    wall = np.random.default_rng(3).integers(90, 130, (900, 900, 3)).astype(np.uint8)
    wall[300:556, 400:656] = data.astronaut()[:256, 96:352]
    return wall


def mask(side: int, left: int, top: int, right: int, bottom: int) -> torch.Tensor:
    hole = torch.zeros(1, side, side)
    hole[:, top:bottom, left:right] = 1
    return hole


@pytest.mark.parametrize("place", [(510, 430, 555, 465), (480, 360, 590, 480), (545, 440, 580, 500)])
def test_near_a_hole_the_same_face_is_found_as_in_all_of_the_picture(place):
    picture, hole = on_a_wall(), mask(900, *place)
    [expected] = choose_faces(find_faces(picture, lambda boxes: True), hole)
    [found] = choose_faces(faces_near(picture, hole), hole)
    assert (found.x, found.y, found.width) == pytest.approx((expected.x, expected.y, expected.width), abs=4)
    elsewhere = mask(900, 500, 345, 560, 370)
    assert choose_faces(faces_near(picture, elsewhere), elsewhere) == [found], "it does not depend on the hole"


@pytest.mark.slow
def test_a_hole_far_from_the_only_face_still_finds_it():
    picture, hole = on_a_wall(), mask(900, 10, 860, 40, 890)
    assert not is_sure(find_faces(picture, lambda boxes: True, hole))
    assert choose_faces(faces_near(picture, hole), hole) == choose_faces(find_faces(picture), hole)


def test_windows_near_a_place_are_those_of_the_whole_picture():
    brightness = Image.fromarray(on_a_wall()[:700, :700]).convert("L", cascade.BRIGHTNESS)
    picture = cascade.around_zero(np.asarray(brightness))
    everywhere = cascade.windows(picture, 40, 700)
    sizes = [40 * cascade.GROWTH**k for k in range(30)]
    near = cascade.windows_near(picture, sizes, cascade.Extent(510, 430, 555, 465))
    assert {tuple(window) for window in near} <= {tuple(window) for window in everywhere}
    middle = everywhere[:, :2] + everywhere[:, 2:] / 2
    close = (abs(middle - (532, 447)) < 0.6 * everywhere[:, 2:]).all(axis=1)
    assert close.sum() > 5
    assert {tuple(window) for window in everywhere[close]} <= {tuple(window) for window in near}
