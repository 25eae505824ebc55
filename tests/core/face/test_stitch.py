from __future__ import annotations

import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ecgan_core.face.frame import Frame
from ecgan_core.face.stitch import blend_of, climb, crop, crop_hole, extent, share_hole, stitch_


def photograph(side: int) -> Tensor:
    """Noise with as much of each fineness as photographs have, [3,side,side] about .5."""
    frequency = torch.fft.fftfreq(side)[:, None].square() + torch.fft.rfftfreq(side).square()
    noise = torch.randn(3, side, side, generator=torch.Generator().manual_seed(0))
    picture = torch.fft.irfft2(torch.fft.rfft2(noise) / (frequency.sqrt() + 1 / side) ** 1.5, s=(side, side))
    return 0.5 + 0.1 * picture / picture.std()


def test_a_crop_repeats_the_edge_of_the_picture():
    picture = torch.arange(12.0).reshape(1, 3, 4)
    assert crop(picture, Frame(-2, 1, 4), 4).tolist() == [
        [[4, 4, 4, 5], [8, 8, 8, 9], [8, 8, 8, 9], [8, 8, 8, 9]],
    ]
    assert crop(picture, Frame(-2, 1, 4), 2).shape == (1, 2, 2)


def test_a_crop_is_as_sharp_as_what_networks_are_taught_on():
    """Training reads its faces by Lanczos's filter. What a photograph loses by being cropped they lose as well."""
    picture = photograph(240)
    image = Image.fromarray((picture.permute(1, 2, 0) * 255).round().byte().numpy())
    taught = np.array(image.resize((100, 100), Image.Resampling.LANCZOS), dtype=np.float32)
    taught = torch.from_numpy(taught).permute(2, 0, 1) / 255
    seen = crop(picture, Frame(0, 0, 240), 100)
    fine, due = (face.diff(dim=1).diff(dim=2).std().item() for face in (seen, taught))
    assert fine == pytest.approx(due, rel=0.15), "by a bilinear filter two thirds of it"
    assert (seen - taught).square().mean().sqrt() < 0.01


def test_a_crop_is_no_brighter_than_its_picture():
    """Neither beyond white, which a picture of 8 bits has not, nor darker than black: what a filter adds at edges."""
    edge = torch.zeros(1, 90, 90)
    edge[:, :, 45:] = 4.0
    for size in (30, 64, 200):
        seen = crop(edge, Frame(0, 0, 90), size)
        assert seen.min() == 0
        assert seen.max() == 4
        masked = crop_hole(edge / 4, Frame(0, 0, 90), size)
        assert masked.mean().item() == pytest.approx(0.5), "of a hole as much as there is"
        assert (masked.diff(dim=2) > -1e-5).all()


def weights_of(hole: torch.Tensor, frame: Frame, feather: int = 0) -> torch.Tensor:
    """The weights of a blend for all of its picture, [1,H,W]."""
    (rows, columns), part = blend_of(hole, frame, feather)
    weights = torch.zeros_like(hole)
    weights[:, rows, columns] = part
    return weights


def test_stitching_changes_nothing_outside_the_hole_and_everything_inside():
    picture = torch.rand(3, 80, 100)
    hole = torch.zeros(1, 80, 100)
    hole[:, 30:50, 40:60] = 1
    frame = Frame(20, 10, 60)
    stitched = stitch_(picture.clone(), torch.full((3, 16, 16), 0.25), frame, blend_of(hole, frame))
    outside = (hole == 0).expand(3, -1, -1)
    assert torch.equal(stitched[outside], picture[outside])
    assert torch.allclose(stitched[~outside], torch.tensor(0.25))


def test_soft_mask_values_blend():
    hole = torch.zeros(1, 8, 8)
    hole[:, 2:6, 2:6] = 0.5
    stitched = stitch_(torch.zeros(3, 8, 8), torch.ones(3, 8, 8), Frame(0, 0, 8), blend_of(hole, Frame(0, 0, 8)))
    assert torch.equal(stitched, hole.expand(3, -1, -1))


def test_feather_climbs_inside_the_hole_only():
    hole = torch.zeros(1, 40, 40)
    hole[:, 10:30, 10:30] = 1
    weights = weights_of(hole, Frame(0, 0, 40), feather=4)[0]
    assert weights[20, 8:16].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert torch.equal(weights > 0, hole[0] > 0)


def test_a_thin_hole_is_filled_whatever_the_feather():
    hole = torch.zeros(1, 40, 40)
    hole[:, 20:23, 5:35] = 1
    assert weights_of(hole, Frame(0, 0, 40), feather=30)[0, 21, 20] == 1


def test_the_feather_also_softens_where_the_frame_cuts_the_hole_but_not_at_the_edge_of_the_picture():
    everything = torch.ones(1, 40, 40)
    weights = weights_of(everything, Frame(-10, 0, 30), feather=4)[0]
    assert weights[10, 0] == 1, "nothing lies beyond the left edge of the picture"
    assert weights[10, 14:21].tolist() == [1, 1, 1, 0.75, 0.5, 0.25, 0]
    assert not weights[:, 20:].any(), "beyond its frame the model has nothing to say"


def test_a_frame_beside_the_picture_changes_nothing():
    picture, frame = torch.rand(3, 20, 20), Frame(50, 50, 8)
    blend = blend_of(torch.ones(1, 20, 20), frame)
    assert torch.equal(stitch_(picture.clone(), torch.zeros(3, 8, 8), frame, blend), picture)


def test_a_soft_edge_is_taken_as_it_is_and_a_faint_mask_is_feathered_too():
    hole = torch.zeros(1, 40, 60)
    hole[:, :, 10:20] = torch.arange(0, 1, 0.1)
    hole[:, :, 20:] = 1
    assert torch.equal(weights_of(hole, Frame(0, 0, 60), feather=5), hole), "it climbs by less than 1/5 a pixel"
    faint = torch.zeros(1, 40, 60)
    faint[:, 10:30, 10:50] = 0.3
    weights = weights_of(faint, Frame(0, 0, 60), feather=10)[0, 20]
    assert weights[9:14].tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.3])
    nearly = (faint > 0).float() * 0.98
    assert weights_of(nearly, Frame(0, 0, 60), feather=4).max() == pytest.approx(0.98)


def test_a_climb_of_one_a_pixel_agrees_with_its_definition():
    heights = np.random.default_rng(1).random((9, 11)) * 6
    rows, columns = np.mgrid[:9, :11]
    for row, column in ((0, 0), (4, 5), (8, 2)):
        distance = np.maximum(abs(rows - row), abs(columns - column))
        assert climb(heights)[row, column] == pytest.approx((heights + distance).min())


def test_a_wide_feather_in_a_large_hole_takes_no_longer_than_a_narrow_one():
    hole = torch.ones(1, 1200, 1200)
    hole[:, :4] = 0
    seconds = []
    for feather in (4, 256):
        start = time.perf_counter()
        weights_of(hole, Frame(0, 0, 1200), feather)
        seconds.append(time.perf_counter() - start)
    assert seconds[1] < 5 * seconds[0] + 0.2


# Turned frames ---


def slope(height: int, width: int) -> torch.Tensor:
    """A picture whose red grows to the right and whose green grows downwards, by 1/1000 a pixel."""
    rows, columns = torch.meshgrid(torch.arange(height) / 1000, torch.arange(width) / 1000, indexing="ij")
    return torch.stack([columns, rows, torch.zeros_like(rows)])


def test_a_turned_crop_stands_upright():
    upright = crop(slope(200, 300), Frame(100, 50, 80, 90.0), 80)
    # clockwise by 90°: what was up is right, so going down in the crop is going left in the picture
    assert (upright[0, 79, 40] - upright[0, 0, 40]).item() == pytest.approx(-0.079, abs=1e-5)
    assert (upright[1, 40, 79] - upright[1, 40, 0]).item() == pytest.approx(0.079, abs=1e-5)
    middle = upright[:, 39:41, 39:41].mean(dim=(1, 2))
    assert middle.tolist() == pytest.approx([0.1395, 0.0895, 0], abs=1e-5)


@pytest.mark.parametrize("roll", [0.0, 12.0, -35.0, 90.0])
@pytest.mark.parametrize("size", [32, 100, 200])
def test_what_was_cropped_goes_back_to_where_it_was(roll, size):
    picture = slope(240, 320)
    frame = Frame(110, 70, 100, roll)
    hole = torch.zeros(1, 240, 320)
    hole[:, 95:145, 130:190] = 1
    stitched = stitch_(picture.clone(), crop(picture, frame, size), frame, blend_of(hole, frame))
    assert (stitched - picture).abs().max() < 1e-3, "a slope survives scaling and turning"
    marked = stitch_(picture.clone(), 1 - crop(picture, frame, size), frame, blend_of(hole, frame, feather=3))
    outside = (hole == 0).expand(3, -1, -1)
    assert torch.equal(marked[outside], picture[outside])
    assert (marked - picture)[~outside].abs().min() > 0


def put_back(patch: Tensor, side: int, hole: Tensor | None = None) -> Tensor:
    hole = torch.ones(1, side, side) if hole is None else hole
    frame = Frame(0, 0, side)
    return stitch_(torch.zeros(3, side, side), patch, frame, blend_of(hole, frame))


@pytest.mark.parametrize(("size", "side"), [(16, 70), (70, 16), (20, 20)])
def test_a_patch_is_resized_as_a_picture_is_though_only_the_hole_is_computed(size, side):
    patch, hole = 0.3 + 0.4 * torch.rand(3, size, size), torch.zeros(1, side, side)
    hole[:, side // 4 : side // 2, side // 3 :] = 1
    assert torch.allclose(put_back(patch, side, hole), put_back(patch, side) * hole, atol=1e-6)
    if side <= size:
        resized = F.interpolate(patch[None], (side, side), mode="bicubic", antialias=True, align_corners=False)[0]
        assert torch.allclose(put_back(patch, side), resized, atol=1e-6)


@pytest.mark.parametrize("side", [50, 90, 120, 200, 240])
def test_an_enlarged_patch_has_what_shrinking_took(side):
    """A picture as sharp as photographs are, cropped and put back, is nearer to what it was than enlarged bicubically.

    Cropped again it is the patch again.
    """
    size, picture, frame = 48, photograph(side), Frame(0, 0, side)
    patch = crop(picture, frame, size)
    bicubic = F.interpolate(patch[None], (side, side), mode="bicubic", align_corners=False)[0]
    error, usual = ((other - picture).square().mean() for other in (put_back(patch, side), bicubic))
    assert error < 0.9 * usual
    again = crop(put_back(patch, side), frame, size)
    assert (again - patch).abs().max() < 0.02


def test_enlarging_draws_no_contrast_of_its_own():
    """Of single pixels that a slightly larger picture lost nothing is made up: no pattern is more than doubled."""
    size = 64
    chequered = 0.5 + 0.1 * (torch.arange(size)[:, None] + torch.arange(size)).remainder(2).sub(0.5).expand(3, -1, -1)
    edge = torch.full((3, size, size), 0.3)
    edge[:, :, size // 2 :] = 0.7
    for side in (65, 67, 75, 100, 128, 500):
        inside = (..., slice(side // 16, -side // 16), slice(side // 16, -side // 16))
        assert (put_back(chequered, side) - 0.5)[inside].abs().max() < 4 * 0.05, "of both directions, each doubled"
        assert (put_back(edge, side) - 0.5).abs().max() < 0.2 * 1.6


def test_a_turned_frame_that_reaches_beyond_the_picture():
    picture = slope(60, 60)
    frame = Frame(-20, -20, 60, 30.0)
    assert crop(picture, frame, 30).min() == 0, "the edge is repeated"
    weights = weights_of(torch.ones(1, 60, 60), frame, feather=4)
    assert weights[0, 0, 0] == 1, "nothing lies beyond the corner of the picture"
    assert not weights[0, 51:].any()
    stitched = stitch_(picture.clone(), torch.ones(3, 30, 30), frame, blend_of(torch.ones(1, 60, 60), frame))
    assert torch.equal(stitched[:, 52:], picture[:, 52:])


def test_frames_share_a_hole_without_a_gap_or_an_overlap():
    hole = torch.rand(1, 90, 120)
    hole[:, :, 70:80] = 0
    frames = [Frame(0, 10, 60), Frame(40, 20, 60, 25.0)]
    left, right = share_hole(hole, frames)
    assert torch.equal(left + right, hole)
    assert not ((left > 0) & (right > 0)).any()
    assert torch.equal(left[:, :, :35], hole[:, :, :35])
    assert torch.equal(right[:, 20:, 80:], hole[:, 20:, 80:])
    assert share_hole(hole, frames[:1])[0] is hole


def test_the_extent_of_a_hole_is_the_smallest_part_of_a_region_that_has_it():
    hole = torch.zeros(1, 40, 50)
    hole[0, 10, 20] = hole[0, 14, 33] = 0.01
    everything = (slice(0, 40), slice(0, 50))
    assert extent(hole, everything) == (slice(10, 15), slice(20, 34))
    assert extent(hole, (slice(11, 40), slice(30, 50))) == (slice(14, 15), slice(33, 34))
    for rows, columns in (extent(hole, (slice(20, 40), slice(0, 50))), extent(hole, (slice(9, 9), slice(0, 50)))):
        assert not hole[0, rows, columns].numel()
