"""Energy by octave against answers that are known."""

import pytest
import torch
import torch.nn.functional as F

from ecgan_core.face.frame import Frame
from ecgan_core.face.regions import region_hole
from train.evaluation.octaves import OCTAVES, octaves_in


def noise(size=512, seed=0):
    return 0.1 * torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(seed))


def hole(size=512, part="lower face"):
    return (region_hole(Frame(0, 0, size), size, size, part) > 0.5).float()[None]


def test_a_truth_has_its_own_energy_and_half_the_contrast_half():
    truth = noise()
    assert octaves_in(truth, truth, hole()).tolist() == [[1.0] * OCTAVES] * 2
    torch.testing.assert_close(octaves_in(truth / 2 + 0.3, truth, hole()), torch.full((2, OCTAVES), 0.5))


def test_only_the_hole_counts():
    truth = noise()
    elsewhere = torch.where(hole() > 0, truth, 0.0)
    inside = octaves_in(elsewhere, truth, hole(part="mouth"))
    torch.testing.assert_close(inside, torch.ones_like(inside), atol=1e-3, rtol=0)


def test_what_went_through_128_pixels_lacks_the_two_finest():
    truth = noise()
    small = F.interpolate(truth, size=128, mode="bilinear", antialias=True)
    finest, second, third, fourth, fifth = octaves_in(
        F.interpolate(small, size=512, mode="bicubic"), truth, hole()
    ).mean(dim=0)
    assert finest < 0.05
    assert second < 0.3
    assert third < fourth < fifth
    assert fifth == pytest.approx(1, abs=0.1)


def test_octaves_are_the_faces_and_not_the_pixels():
    """The same face at half the size has the same energies, but for the finest that its pixels cannot hold."""
    truth = F.interpolate(noise(64), size=1024, mode="bicubic")
    columns = F.avg_pool2d(truth, (33, 1), stride=1, padding=(16, 0))
    picture = 0.5 * truth + 0.5 * F.avg_pool2d(columns, (1, 33), stride=1, padding=(0, 16))
    halves = [F.interpolate(faces, size=512, mode="area") for faces in (picture, truth)]
    quarters = [F.interpolate(faces, size=128, mode="area") for faces in (picture, truth)]
    large, small = octaves_in(*halves, hole(512)), octaves_in(*quarters, hole(128))
    assert small[:, 0].isnan().all()
    torch.testing.assert_close(small[:, 2:], large[:, 2:], atol=0.05, rtol=0)


def test_nothing_to_compare_with_is_said():
    flat = torch.zeros(1, 3, 512, 512)
    assert octaves_in(flat, flat, hole()).isnan().all()
