from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from skimage import data

from ecgan_core.face.choosing import NoFaceFound
from ecgan_core.face.face_hole import face_hole
from ecgan_core.face.finder.finding import find_faces
from ecgan_core.face.frame import Box, Frame
from ecgan_core.face.holes import REGIONS
from ecgan_core.face.regions import PARTS, _depth, region_hole

FRAME = Frame(30, -10, 200)


@pytest.fixture(scope="module")
def astronaut() -> torch.Tensor:
    return torch.from_numpy(data.astronaut().copy()).permute(2, 0, 1).float() / 255


def extent(hole: torch.Tensor) -> torch.Tensor:
    """left, top, right, bottom of what is not 0 in a hole [1,H,W]."""
    rows, columns = hole[0].nonzero().T
    return torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.mark.parametrize("part", PARTS)
def test_a_part_covers_its_region_of_the_frame(part):
    hole = region_hole(FRAME, 240, 260, part)
    assert hole.shape == (1, 240, 260)
    assert hole.max() == 1
    left, top, right, bottom = (torch.tensor(REGIONS[part]) * 200 + torch.tensor([30, -10, 30, -10])).tolist()
    centre = hole[0, round((top + bottom) / 2), round((left + right) / 2)]
    assert centre == 1
    margin = 0.06 * torch.tensor([left - right, top - bottom, right - left, bottom - top])  # an ellipse with COVER
    torch.testing.assert_close(
        extent(hole).float(), torch.tensor([left, top, right, bottom]) + margin, atol=1.5, rtol=0
    )
    assert set(PARTS) == set(REGIONS)


def test_growing_makes_it_larger_about_its_centre():
    widths = []
    for grow in (-0.5, 0.0, 0.5):
        left, top, right, bottom = extent(region_hole(FRAME, 240, 260, "mouth", grow)).tolist()
        widths.append(right - left)
        assert abs(left + right - 260) <= 1, "the mouth is in the middle of the frame"
        assert bottom > top
    assert widths == sorted(widths)
    assert widths[2] == pytest.approx(3 * widths[0], abs=3)


def test_a_soft_edge_is_inside_and_never_reaches_the_middle():
    hard, soft = (region_hole(FRAME, 240, 260, "mouth", soften=pixels) for pixels in (0, 12))
    assert torch.equal(hard > 0, soft > 0)
    assert (soft <= hard).all()
    row = soft[0, extent(soft)[[1, 3]].sum() // 2]
    climb = row[row > 0][:12].diff()
    torch.testing.assert_close(climb, torch.full_like(climb, 1 / 12), atol=0.02, rtol=0)
    assert region_hole(FRAME, 240, 260, "mouth", soften=256).max() > 0.95


def test_the_hole_of_a_tilted_face_is_tilted_with_it():
    upright, tilted = (region_hole(Frame(20, 20, 200, roll), 240, 240, "eyes") for roll in (0.0, 90.0))
    torch.testing.assert_close(tilted, upright.rot90(-1, dims=(1, 2)), atol=1e-4, rtol=0)


def test_the_mouth_of_a_photograph_is_masked(astronaut):
    left, top, right, bottom = extent(face_hole(astronaut, "mouth")).tolist()
    assert left < 205 < 245 < right, "the corners of her mouth"
    assert top < 135 < 158 < bottom


def test_a_box_wins_and_the_whole_image_is_one_face(astronaut):
    boxed = extent(face_hole(astronaut, "eyes", box=Box(300, 300, 100, 100)))
    assert (boxed[:2] > 250).all()
    left, _, right, _ = extent(face_hole(astronaut, "whole face", face="whole image")).tolist()
    assert right - left > 300


def test_a_hole_inside_the_face_ends_at_its_outline(astronaut):
    """Her chin ends at 175, her cheeks at 172 and 276 (seen in the picture); hair and collar are beyond."""
    ellipse, inside = (face_hole(astronaut, "lower face", inside_face=inside) for inside in (False, True))
    assert (inside <= ellipse).all()
    assert inside.sum() < ellipse.sum()
    left, top, right, bottom = extent(inside).tolist()
    assert extent(ellipse)[1] == top, "nothing ends it above"
    assert left > 160
    assert right < 280
    assert 165 < bottom < 182 < extent(ellipse)[3]
    assert torch.equal(*(face_hole(astronaut, "mouth", inside_face=inside) for inside in (False, True)))


def test_the_outline_is_looked_for_in_a_box_too(astronaut):
    box = find_faces(astronaut)[0]
    own, given = (
        face_hole(astronaut, "lower face", box=b, inside_face=True) for b in (None, replace(box, points=None))
    )
    assert extent(given)[3] <= extent(own)[3] + 3
    drawing = torch.full((3, 256, 256), 0.5)
    whole = face_hole(drawing, "lower face", face="whole image", inside_face=True)
    assert torch.equal(whole, face_hole(drawing, "lower face", face="whole image")), "no face is seen, none is cut"


def test_a_polygon_knows_how_deep_a_pixel_lies():
    square = torch.tensor([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
    depth = _depth(square, torch.ones(40, 40, dtype=torch.bool), (slice(0, 40), slice(0, 40)))
    assert depth[19, 19] == pytest.approx(9.5)
    assert depth[20, 12] == pytest.approx(2.5)
    assert depth[20, 5] == pytest.approx(-4.5)
    assert depth[3, 3] == pytest.approx(-6.5 * 2**0.5)
    assert ((depth > 0).sum(), (depth < 0).sum()) == (400, 1200)


@pytest.mark.slow
def test_every_face_is_masked_if_asked(astronaut):
    pair = torch.cat([astronaut, astronaut], dim=-1)
    both = face_hole(pair, "mouth", all_faces=True)
    assert both[..., :512].any()
    assert both[..., 512:].any()
    one = face_hole(pair, "mouth")
    assert one[..., :512].any() != one[..., 512:].any()


@pytest.mark.slow
def test_what_cannot_be_masked_is_said(astronaut):
    with pytest.raises(ValueError, match="mouth, eyes"):
        region_hole(FRAME, 240, 260, "ear")
    with pytest.raises(ValueError, match="above -1"):
        region_hole(FRAME, 240, 260, "mouth", grow=-1)
    with pytest.raises(ValueError, match="outside the picture: the picture is 512×512"):
        face_hole(astronaut, "mouth", box=Box(5000, 0, 100, 100))
    for all_faces in (False, True):
        with pytest.raises(NoFaceFound, match="whole image"):
            face_hole(torch.full((3, 90, 90), 0.5), "mouth", all_faces=all_faces)
