"""Holes without painting, through the node."""

from __future__ import annotations

import pytest
import torch
from skimage import data

from tests.host.pack import picture, run


@pytest.fixture(scope="module")
def astronaut() -> torch.Tensor:
    """IMAGE [1,512,512,3]."""
    return torch.from_numpy(data.astronaut().copy())[None].float() / 255


@pytest.fixture
def face_hole(pack):
    return lambda image, **inputs: run(pack["ECGANFaceHole"], image=image, **inputs)[0]


def test_the_mask_is_one_for_each_picture_and_completes_it(pack, model, face_hole, astronaut):
    image = torch.cat([astronaut, astronaut.roll(60, dims=2)])
    mask = face_hole(image)
    assert mask.shape == (2, 512, 512)
    assert mask.min() == 0
    assert mask.max() == 1
    left = [hole.nonzero()[:, 1].min().item() for hole in mask]
    assert left[1] - left[0] == pytest.approx(60, abs=8), "each picture's own face is found"
    out, _, changed = run(pack["MaskedFaceComplete"], model=model, image=image, mask=mask)
    assert torch.equal(out[mask == 0], image[mask == 0])
    assert (changed > 0.9).any(dim=2).any(dim=1).all()


def test_parts_grow_and_soften(face_hole, astronaut):
    sizes = {part: face_hole(astronaut, part=part).sum().item() for part in ("mouth", "lower face", "whole face")}
    assert list(sizes.values()) == sorted(sizes.values())
    assert face_hole(astronaut, grow=0.5).sum() > sizes["mouth"] > face_hole(astronaut, grow=-0.5).sum()
    soft = face_hole(astronaut, soften=9)
    assert ((soft > 0) == (face_hole(astronaut) > 0)).all()
    assert ((soft > 0.2) & (soft < 0.8)).sum() > 50


def test_boxes_are_lines_of_text(face_hole):
    image = picture(count=2)
    both = face_hole(image, face_box="10, 10, 80, 80\n90, 40, 80, 80")
    assert torch.equal(both[:1], face_hole(image[:1], face_box="10, 10, 80, 80"))
    assert not torch.equal(both[0], both[1])
    assert torch.equal(face_hole(image, face_box="10, 10, 80, 80")[1], both[0])
    with pytest.raises(ValueError, match="3 for 2"):
        face_hole(image, face_box="1,1,9,9\n" * 3)
    with pytest.raises(ValueError, match="outside the picture"):
        face_hole(image, face_box="900, 10, 80, 80")


def test_a_picture_without_a_face_is_numbered(face_hole, astronaut):
    with pytest.raises(ValueError, match="picture 2 of 2: no face"):
        face_hole(torch.cat([astronaut, torch.full_like(astronaut, 0.5)]))
    with pytest.raises(ValueError, match=r"^no face"):
        face_hole(torch.full_like(astronaut, 0.5))


def test_it_shows_the_hole_in_the_picture_and_leaves_its_input_alone(pack, astronaut):
    from comfy_ecgan import holes

    kept = astronaut.clone()
    mask, shown = holes.face_holes(astronaut, "mouth", grow=0.0, soften=0, face="auto", face_box="", all_faces=False)
    assert torch.equal(astronaut, kept)
    assert torch.equal(shown[mask == 0], astronaut[mask == 0])
    assert not torch.equal(shown[mask == 1], astronaut[mask == 1])


def test_its_menu_is_the_cores(pack):
    from comfy_ecgan import holes
    from ecgan_core.face import regions

    assert tuple(holes.PARTS) == regions.PARTS
