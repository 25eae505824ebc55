"""Masks of clips: zeros as any others, which take memory only where somebody wrote."""

from __future__ import annotations

import pytest
import torch

from benchmarks.measuring.memory import can_measure, peak_megabytes
from ecgan_core.face.batch.places import with_changed
from ecgan_core.face.frame import Frame
from ecgan_core.face.masks import black
from ecgan_core.face.regions import region_hole
from ecgan_core.face.stitch import share_hole

CPU = torch.device("cpu")
CLIP = (60, 1, 720, 1280)  # 221 MB
measured = pytest.mark.skipif(not can_measure(CPU), reason="this system does not tell how much memory a process has")


def test_it_is_black_and_can_be_painted() -> None:
    mask, other = black((2, 1, 5, 7)), black((2, 1, 5, 7))
    assert mask.dtype == torch.float32
    assert mask.is_contiguous()
    assert torch.equal(mask, torch.zeros(2, 1, 5, 7))
    mask[1, 0, 2:4, 3:] = 0.5
    assert mask.sum() == 4
    assert other.sum() == 0


@pytest.mark.parametrize("shape", [(0, 1, 5, 7), (3, 1, 0, 7)])
def test_there_may_be_nothing_in_it(shape: tuple[int, ...]) -> None:
    assert black(shape).shape == shape


@measured
def test_a_clip_takes_memory_only_where_there_is_white() -> None:
    def paint() -> torch.Tensor:
        masks = black(CLIP)
        assert masks.sum() == 0  # looked at, too
        masks[:, :, 300:400, 500:600] = 1
        return masks

    peak_megabytes(paint, CPU)  # torch's own first needs
    assert peak_megabytes(paint, CPU) < 221 / 4


@measured
def test_the_parts_of_two_people_and_the_masks_that_end_at_faces_take_as_little() -> None:
    people = [Frame(100, 100, 400), Frame(700, 100, 400)]
    hole = black(CLIP[1:])
    for frame in people:
        hole[:, 250:300, frame.x + 150 : frame.x + 250] = 1

    def share() -> list[torch.Tensor]:
        return [part for _ in range(CLIP[0]) for part in share_hole(hole, people)]

    def change() -> torch.Tensor:
        return with_changed({3: hole}, hole.expand(CLIP))

    for of_clip in (share, change):
        peak_megabytes(of_clip, CPU)
        assert peak_megabytes(of_clip, CPU) < 221 / 4
    assert torch.equal(change()[3], hole)


@measured
def test_a_mouth_in_24_megapixels_takes_what_a_mouth_takes() -> None:
    def mouth() -> torch.Tensor:
        return region_hole(Frame(2000, 1500, 400, 20.0), 4000, 6000, "mouth")

    peak_megabytes(mouth, CPU)
    assert peak_megabytes(mouth, CPU) < 20
    assert 0 < mouth().sum() < 400 * 400
