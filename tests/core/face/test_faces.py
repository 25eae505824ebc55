from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from skimage import data

from benchmarks.measuring.drawings import STYLES, cartoon, drawing, grinning
from ecgan_core.face.choosing import NoFaceFound, choose_face, choose_faces, is_covered
from ecgan_core.face.finder.finding import faces_near, find_faces, level
from ecgan_core.face.finder.judging import Doubt, no_face
from ecgan_core.face.frame import FRAME, Box, Frame, box_of_frame, frame_of_face, frame_of_image

EYES = ((203, 101), (247, 103))  # (x, y) of the astronaut's left and right eye in skimage's picture, read off by hand
MOUTH = (226, 145)
MARKS = ("left eye", "right eye", "mouth")


def tensor(picture: np.ndarray) -> torch.Tensor:
    """uint8 [H,W,3] → [3,H,W] in 0..1."""
    return torch.from_numpy(picture.copy()).permute(2, 0, 1).float() / 255


@pytest.fixture(scope="module")
def astronaut() -> torch.Tensor:
    return tensor(data.astronaut())


def off(frame: Frame, marks: list[tuple[float, float]]) -> float:
    """How far at most the eyes and the mouth are from where the model expects them, in sides of the frame."""
    turn, (middle_x, middle_y) = math.radians(frame.roll), frame.centre
    worst = 0.0
    for (x, y), place in zip(marks, MARKS, strict=True):
        right, below = (x - middle_x) / frame.side, (y - middle_y) / frame.side
        across = 0.5 + right * math.cos(turn) + below * math.sin(turn)
        down = 0.5 + below * math.cos(turn) - right * math.sin(turn)
        worst = max(worst, abs(across - FRAME[place][0]), abs(down - FRAME[place][1]))
    return worst


def turned(degrees: float) -> tuple[torch.Tensor, list[tuple[float, float]]]:
    """The astronaut turned clockwise, and where her eyes and mouth are then."""
    picture, turn, marks = data.astronaut()[:320, 66:386], math.radians(degrees), []
    for x, y in (*EYES, MOUTH):
        right, below = x - 66 - 160, y - 160
        across, down = right * math.cos(turn) - below * math.sin(turn), right * math.sin(turn) + below * math.cos(turn)
        marks.append((160 + across, 160 + down))
    return tensor(np.asarray(Image.fromarray(picture).rotate(-degrees, Image.Resampling.BICUBIC))), marks


def mask(side: int, left: int, top: int, right: int, bottom: int) -> torch.Tensor:
    hole = torch.zeros(1, side, side)
    hole[:, top:bottom, left:right] = 1
    return hole


# Frames ---


def test_the_frame_of_a_photograph_has_the_face_where_the_model_expects_it(astronaut):
    assert off(frame_of_face(find_faces(astronaut)[0]), [*EYES, MOUTH]) < 0.05


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_a_face_is_found_at_any_turn_and_its_frame_stands_as_it_does(degrees):
    picture, marks = turned(degrees)
    frame = frame_of_face(find_faces(picture)[0])
    assert abs((frame.roll - degrees - 3 + 180) % 360 - 180) < 4, "her head is tilted by 3° to begin with"
    assert off(frame, marks) < 0.05


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_face_is_found_at_any_size_of_the_picture(astronaut, scale):
    picture = astronaut[:, :256, 96:352]
    frame = frame_of_face(find_faces(picture.repeat_interleave(scale, 1).repeat_interleave(scale, 2))[0])
    reference = frame_of_face(find_faces(picture)[0])
    assert np.allclose(
        np.array([frame.x, frame.y, frame.side]) / scale, [reference.x, reference.y, reference.side], atol=4
    )


def test_a_face_that_fills_its_picture_is_found(astronaut):
    assert find_faces(astronaut[:, 70:185, 168:282])


def test_a_box_and_its_frame_lead_to_each_other():
    box = box_of_frame(120.0, 90.0, 80.0, 33.0)
    assert frame_of_face(box) == Frame(80, 50, 80, 33.0)


def test_a_slow_tilt_does_not_jump():
    rolls = []
    for degrees in np.arange(-6.0, 2.0, 0.5):  # her head is tilted by 3° to begin with
        picture, _ = turned(float(degrees))
        rolls.append(find_faces(picture)[0].roll)
    assert max(abs(np.diff(rolls))) < 2
    assert 0.0 in rolls, "a head that is nearly upright counts as upright"


# Near a hole ---


def on_a_wall(size: int, of: int, side: int = 900) -> torch.Tensor:
    """The astronaut's head and shoulders, `size` pixels wide, in the middle of a wall of noise."""
    wall = np.random.default_rng(3).integers(90, 130, (side, side, 3)).astype(np.uint8)
    head = Image.fromarray(data.astronaut()[:of, 96 : 96 + of]).resize((size, size), Image.Resampling.BOX)
    start = (side - size) // 2
    wall[start : start + size, start : start + size] = np.asarray(head)
    return tensor(wall)


@pytest.mark.parametrize(
    "place", [(510, 432, 555, 465), (480, 360, 590, 480), (545, 440, 580, 500), (430, 350, 640, 560)]
)
def test_near_any_hole_the_same_face_is_found_as_in_all_of_the_picture(place):
    picture = on_a_wall(256, 256)
    [expected] = find_faces(picture)
    [found] = choose_faces(faces_near(picture, mask(900, *place)), mask(900, *place))
    assert found.width == pytest.approx(expected.width, rel=0.06)
    assert found.centre == pytest.approx(expected.centre, abs=0.03 * expected.width)
    assert found.roll == pytest.approx(expected.roll, abs=2)


def test_the_black_of_a_compressed_mask_is_none_of_the_hole():
    picture = on_a_wall(90, 256, side=1500)
    corner, scale = (1500 - 90) / 2, 90 / 256
    x, y = (corner + (at - start) * scale for at, start in zip(MOUTH, (96, 0), strict=True))
    hole = mask(1500, *(round(end) for end in (x - 28 * scale, y - 14 * scale, x + 28 * scale, y + 16 * scale)))
    black = 0.012 * torch.rand(hole.shape, generator=torch.Generator().manual_seed(0))
    clean, compressed = faces_near(picture, hole), faces_near(picture, torch.maximum(hole, black))
    assert clean == compressed != []


@pytest.mark.parametrize("width", [24, 40, 120])
def test_a_small_face_in_a_large_picture_is_found_where_its_mouth_is_masked(width):
    scale = width / 103  # her face, forehead to chin, is 103 pixels wide
    picture = on_a_wall(round(256 * scale), 256, side=1500)
    corner = (1500 - round(256 * scale)) / 2
    x, y = (corner + (at - start) * scale for at, start in zip(MOUTH, (96, 0), strict=True))
    hole = mask(1500, *(round(end) for end in (x - 28 * scale, y - 14 * scale, x + 28 * scale, y + 16 * scale)))
    [face] = choose_faces(faces_near(picture, hole), hole)
    assert face.width == pytest.approx(width, rel=0.15)
    marks = [(corner + (mark[0] - 96) * scale, corner + mark[1] * scale) for mark in (*EYES, MOUTH)]
    assert off(frame_of_face(face), marks) < 0.07


@pytest.mark.parametrize(("left", "top"), [(190, 0), (96, 90)])
def test_a_face_cut_by_the_edge_of_the_picture_is_found(astronaut, left, top):
    picture = astronaut[:, top : top + 256, left : left + 256]
    x, y = MOUTH[0] - left, MOUTH[1] - top
    hole = mask(256, max(0, x - 25), y - 15, x + 25, y + 15)
    [face] = choose_faces(faces_near(picture, hole), hole)
    assert off(frame_of_face(face), [(mark[0] - left, mark[1] - top) for mark in (*EYES, MOUTH)]) < 0.07


@pytest.mark.parametrize("look", ["grey", "dark", "glaring"])
def test_a_face_is_found_in_black_and_white_and_in_the_dark(astronaut, look):
    grey = astronaut.mean(dim=0, keepdim=True).expand(3, -1, -1)
    picture = {"grey": grey, "dark": astronaut * 0.1, "glaring": astronaut * 1.6}[look]
    assert off(frame_of_face(find_faces(picture)[0]), [*EYES, MOUTH]) < 0.06


def test_a_hole_far_from_the_only_face_still_finds_it():
    picture, hole = on_a_wall(256, 256), mask(900, 10, 860, 40, 890)
    [found], [expected] = (choose_faces(seen, hole) for seen in (faces_near(picture, hole), find_faces(picture)))
    assert found.centre == pytest.approx(expected.centre, abs=0.03 * expected.width)


@pytest.mark.slow
def test_no_face_in_a_picture_without_one():
    assert find_faces(torch.full((3, 200, 300), 0.5)) == []
    for name in ("coffee", "rocket", "chelsea", "brick", "grass", "page"):
        picture = getattr(data, name)()
        picture = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
        assert find_faces(tensor(picture), all_faces=True) == [], name
        height, width = picture.shape[:2]
        hole = torch.zeros(1, height, width)
        hole[:, height // 3 : height // 2, width // 3 : width // 2] = 1
        assert faces_near(tensor(picture), hole) == [], name
    with pytest.raises(NoFaceFound, match="no face was found in the picture; give a box around the face"):
        choose_face([], torch.zeros(1, 200, 300))


def test_a_drawn_face_is_refused():
    drawing = Image.new("RGB", (400, 400), (180, 200, 230))
    draw = ImageDraw.Draw(drawing)
    draw.ellipse((60, 20, 340, 330), fill=(60, 40, 30))
    draw.ellipse((110, 60, 290, 260), fill=(255, 225, 200))
    draw.polygon([(110, 120), (290, 120), (285, 230), (200, 340), (115, 230)], fill=(255, 225, 200))
    for x in (150, 250):
        draw.ellipse((x - 24, 170, x + 24, 235), fill="white", outline="black", width=3)
        draw.ellipse((x - 15, 178, x + 15, 230), fill=(40, 90, 160))
        draw.ellipse((x - 8, 190, x + 8, 222), fill="black")
    draw.arc((180, 262, 220, 290), 30, 150, fill=(160, 60, 60), width=3)
    assert faces_near(tensor(np.asarray(drawing)), mask(400, 165, 255, 235, 300)) == []


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
@pytest.mark.parametrize("side", [32, 64, 200])
def test_a_smiley_is_no_face_nor_is_a_cartoon(style, side):
    picture = tensor(np.asarray(drawing(style, side, (120, 140, 160))))
    mouth = 256 + round(0.22 * side)
    hole = mask(512, 256 - side // 5, mouth - side // 8, 256 + side // 5, mouth + side // 8)
    doubts = []
    assert faces_near(picture, hole, doubts) == []
    assert find_faces(picture, doubts=doubts) == []
    if side == 200 and style in (grinning, cartoon):
        text = str(no_face(doubts))
        assert text.startswith("no face was found in the picture: what looks like one seems to be drawn (at x 2")
        assert text.endswith("give a box around the face to have it completed all the same")


def shadowed(picture: np.ndarray) -> np.ndarray:
    """One side of her face in deep shadow."""
    light = np.clip((np.arange(512) - 226) / 8, -1, 1) * 0.44 + 0.56
    return (picture * light[None, :, None]).astype(np.uint8)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(2))),
        lambda p: np.asarray(Image.fromarray(p).filter(ImageFilter.MedianFilter(5))),
        lambda p: np.asarray(ImageOps.posterize(Image.fromarray(p), 3)),
        lambda p: np.clip(p.astype(float) * 2.2, 0, 255).astype(np.uint8),
        lambda p: p // 16,
        shadowed,
    ],
    ids=["blurred", "smoothed", "posterised", "overexposed", "nearly black", "half in shadow"],
)
def test_a_photograph_is_not_taken_for_a_drawing(change):
    assert off(frame_of_face(find_faces(tensor(change(data.astronaut())))[0]), [*EYES, MOUTH]) < 0.07


def test_a_face_that_is_too_small_is_said_to_be():
    doubt = Doubt("small", 100, 80, 14, score=1.5, sureness=2.0)
    assert str(no_face([doubt])) == (
        "no face was found in the picture: what looks like one is too small to be sure (at x 100, y 80, 14 pixels "
        "wide); enlarge the picture, or give a box around the face"
    )
    faint = doubt._replace(score=0.2)
    assert str(no_face([faint])).startswith("no face was found in the picture; give a box"), "that may be anything"
    aside = Doubt("aside", 10, 10, 90, score=1.2, sureness=4.0)
    assert "too far from the side" in str(no_face([doubt._replace(why="unsure"), aside]))


# Somebody's box ---


@pytest.mark.parametrize("degrees", [35, 180])
def test_a_given_box_is_levelled_where_it_is_unless_it_says_how(degrees):
    picture, _ = turned(degrees)
    found = find_faces(picture)[0]
    given = Box(found.x + 3, found.y - 2, found.width + 8, found.height + 4)
    levelled = level(picture, given)
    assert abs((levelled.roll - found.roll + 180) % 360 - 180) < 3
    assert (levelled.x, levelled.y, levelled.width, levelled.height) == (given.x, given.y, given.width, given.height)
    told = Box(*(given.x, given.y, given.width, given.height), roll=-20)
    assert level(picture, told) == told
    assert level(picture, found) is found, "what the finder found is level"


def test_a_box_where_no_face_is_seen_is_upright():
    box = Box(20, 30, 60, 70)
    assert level(torch.full((3, 200, 200), 0.5), box) == box


def test_a_box_needs_a_size_and_numbers():
    with pytest.raises(ValueError, match="wider and higher than 0"):
        Box(1, 2, 0, 5)
    with pytest.raises(ValueError, match="finite"):
        Box(math.nan, 2, 5, 5)


# Choosing ---


def test_of_boxes_on_top_of_each_other_the_first_counts():
    hole = mask(200, 60, 60, 180, 120)
    face, same, other = Box(50, 50, 60, 60), Box(58, 56, 60, 60), Box(140, 50, 40, 40)
    assert choose_faces([face, same, other], hole) == [face, other]


def test_a_further_face_counts_only_if_the_hole_covers_some_of_it():
    left, right = Box(20, 50, 60, 60), Box(120, 50, 60, 60)
    hole = mask(200, 30, 80, 70, 100)
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
    assert is_covered([small], hole)
    assert not is_covered([large], hole)


def test_frames_of_whole_pictures():
    assert frame_of_image(100, 60) == Frame(-20, 0, 100)
    assert frame_of_image(64, 64) == Frame(0, 0, 64)
