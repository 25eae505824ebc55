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
    below = "10, 90, 80, 100"  # the eyes are in the picture, the mouth is not
    one = face_hole(image, face_box=f"10, 10, 80, 80; {below}")
    assert one.amax(dim=(1, 2)).tolist() == [1, 0]
    with pytest.raises(ValueError, match="picture 2 of 2: the mouth of the face lies outside the picture"):
        face_hole(image, face_box=f"10, 10, 80, 80; {below}", on_no_face="error")


def test_a_picture_without_a_face_is_numbered(face_hole, astronaut):
    with pytest.raises(ValueError, match="picture 2 of 2: no face"):
        face_hole(torch.cat([astronaut, torch.full_like(astronaut, 0.5)]), on_no_face="error")
    with pytest.raises(ValueError, match=r"^no face"):
        face_hole(torch.full_like(astronaut, 0.5))


def test_a_face_is_missing_in_one_frame_and_the_whole_chain_goes_on(pack, model, astronaut):
    """The mask of that frame is empty, so its picture stays; each node says so."""
    image = torch.cat([astronaut, torch.full_like(astronaut, 0.5), astronaut])
    with torch.inference_mode():
        hole = pack["ECGANFaceHole"].execute(image=image, part="mouth", grow=0.0, soften=0, face="auto")
    [note] = hole.ui["ecgan_notes"]
    assert note.startswith("1 of 3 pictures (2) has an empty mask: no face was found")
    out, latent, changed = run(pack["MaskedFaceComplete"], model=model, image=image, mask=hole.result[0])
    assert torch.equal(out[1], image[1])
    assert changed.amax(dim=(1, 2)).tolist() == [1, 0, 1]
    sweep, shift = pack["ECGANEmotionSweep"], pack["EmotionShift"]
    frames = run(sweep, model=model, latent=latent, emotion="glad", start=0.0, end=1.0, steps=2, ping_pong=False)[0]
    assert torch.equal(frames[2:4], image[1:2].expand(2, -1, -1, -1))
    assert torch.equal(run(shift, model=model, latent=latent, strength=1.0, emotion="glad")[0][1], image[1])
    text, charts = run(pack["ECGANInferEmotion"], model=model, image=image)
    assert text.splitlines()[1] == "2: no face was found"
    assert charts.shape[0] == 3
    build = {"model": model, "images": image, "name": "own", "face": "auto"}
    vector, report = run(pack["EmotionVectorBuild"], **build)
    assert "2 faces against" in report
    assert "images: 1 of 3 pictures (2) is left out: no face was found" in report
    alone, _ = run(pack["EmotionVectorBuild"], **{**build, "images": image[[0, 2]]})
    torch.testing.assert_close(vector.direction, alone.direction)


def test_it_shows_the_hole_in_the_picture_and_leaves_its_input_alone(pack, astronaut):
    from comfy_ecgan import holes

    kept = astronaut.clone()
    mask, painted = holes.face_holes(astronaut, "mouth", face_box="", on_note=print)
    [shown] = painted
    assert torch.equal(astronaut, kept)
    assert torch.equal(shown[mask == 0], astronaut[mask == 0])
    assert not torch.equal(shown[mask == 1], astronaut[mask == 1])


def test_its_menu_is_the_cores(pack):
    from comfy_ecgan import holes
    from ecgan_core.face import regions

    assert tuple(holes.PARTS) == regions.PARTS
