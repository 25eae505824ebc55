from __future__ import annotations

import pytest
import torch
from skimage import data

from ecgan_core.faces import Box, NoFaceFound
from ecgan_core.files import BadFile
from ecgan_core.portrait import PortraitLatent, complete_portraits, portrait_frame, render, shift_portraits

FACE = Box(174, 67, 103, 103)


@pytest.fixture(scope="module")
def astronaut() -> torch.Tensor:
    """A photograph much larger than the model's frame, [1,3,512,512] in 0..1."""
    return torch.from_numpy(data.astronaut().copy()).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="module")
def mouth() -> torch.Tensor:
    """A mask over the astronaut's mouth, soft at its lower edge."""
    hole = torch.zeros(1, 1, 512, 512)
    hole[:, :, 130:160, 200:255] = 1
    hole[:, :, 160:164, 200:255] = 0.4
    return hole


@pytest.mark.parametrize(("face", "box"), [("auto", None), ("auto", FACE), ("whole image", None)])
def test_outside_the_mask_every_pixel_is_the_pictures_own(pipeline, astronaut, mouth, face, box):
    latent = complete_portraits(pipeline, astronaut, mouth, emotion="angry", seeds=1, face=face, boxes=box, samples=2)
    pictures = render(pipeline, latent)
    assert pictures.shape == (2, 3, 512, 512)
    outside = (mouth == 0).expand(2, 3, -1, -1)
    original = astronaut.expand(2, -1, -1, -1)
    assert torch.equal(pictures[outside], original[outside])
    assert (pictures - original)[~outside].abs().mean() > 0.01
    assert not torch.equal(pictures[0], pictures[1])
    assert pictures.min() >= 0
    assert pictures.max() <= 1


def test_changed_says_which_pixels_are_new(pipeline, astronaut, mouth):
    latent = complete_portraits(pipeline, astronaut, mouth, boxes=FACE, feather=4)
    picture, changed = render(pipeline, latent), latent.changed
    assert torch.equal(picture[(changed == 0).expand_as(picture)], astronaut[(changed == 0).expand_as(picture)])
    assert changed.max() == 1
    assert (changed <= mouth).all(), "the mask's own soft values bound the blend"
    assert not changed[mouth == 0].any()


def test_a_shift_by_zero_gives_the_same_picture_bit_for_bit(pipeline, astronaut, mouth):
    latent = complete_portraits(pipeline, astronaut, mouth, boxes=FACE)
    before = render(pipeline, latent)
    joyful = pipeline.vector("joyful")
    assert torch.equal(render(pipeline, shift_portraits(pipeline, latent, joyful, 0.0)), before)
    moved = render(pipeline, shift_portraits(pipeline, latent, joyful, 1.0))
    assert not torch.equal(moved, before)
    assert torch.equal(moved[(mouth == 0).expand_as(moved)], astronaut[(mouth == 0).expand_as(moved)])


def test_a_seed_gives_the_same_face_alone_and_in_a_batch(pipeline, astronaut, mouth):
    pictures = torch.cat([astronaut.flip(3), astronaut, astronaut * 0.5])
    together = render(pipeline, complete_portraits(pipeline, pictures, mouth, seeds=5, samples=2, face="whole image"))
    alone = render(pipeline, complete_portraits(pipeline, astronaut, mouth, seeds=[6], face="whole image"))
    assert together.shape[0] == 6
    assert (together[3] - alone[0]).abs().max() < 1e-4, "the second sample of the second picture"


def test_more_faces_than_fit_at_once_are_reported_as_they_are_done(pipeline, astronaut, mouth):
    steps = []
    latent = complete_portraits(
        pipeline, astronaut, mouth, boxes=FACE, samples=11, on_step=lambda done, total: steps.append((done, total))
    )
    assert steps == [(8, 11), (11, 11)]
    assert len(latent) == 11
    ninth = complete_portraits(pipeline, astronaut, mouth, boxes=FACE, seeds=8)
    assert torch.allclose(latent[8].faces.z, ninth.faces.z, atol=1e-5)


def test_one_mask_serves_many_pictures_and_one_picture_many_masks(pipeline, astronaut, mouth):
    assert len(complete_portraits(pipeline, astronaut.repeat(2, 1, 1, 1), mouth, boxes=FACE)) == 2
    assert len(complete_portraits(pipeline, astronaut, mouth.repeat(2, 1, 1, 1), boxes=[FACE, None])) == 2
    with pytest.raises(ValueError, match="2 pictures and 3 masks do not pair up"):
        complete_portraits(pipeline, astronaut.repeat(2, 1, 1, 1), mouth.repeat(3, 1, 1, 1), boxes=FACE)


def test_a_mask_of_the_same_proportions_is_scaled(pipeline, astronaut, mouth):
    small = torch.nn.functional.interpolate(mouth, size=(256, 256), mode="area")
    latent = complete_portraits(pipeline, astronaut, small, boxes=FACE)
    assert latent.holes.shape == (1, 1, 512, 512)
    assert (latent.holes - mouth).abs().mean() < 0.01


def test_masks_and_pictures_that_cannot_be_used(pipeline, astronaut, mouth):
    with pytest.raises(ValueError, match="the mask is empty, so there is nothing to fill"):
        complete_portraits(pipeline, astronaut, torch.zeros(1, 1, 64, 64))
    with pytest.raises(ValueError, match="mask 2 of 2 is empty"):
        complete_portraits(pipeline, astronaut, torch.cat([mouth, 0 * mouth]), boxes=FACE)
    with pytest.raises(ValueError, match="the mask is 300×512 pixels but the picture is 512×512"):
        complete_portraits(pipeline, astronaut, mouth[..., :300], boxes=FACE)
    with pytest.raises(ValueError, match="the picture is RGBA"):
        complete_portraits(pipeline, torch.cat([astronaut, astronaut[:, :1]], dim=1), mouth)


def test_a_mask_beside_the_face_is_refused(pipeline, astronaut):
    corner = torch.zeros(1, 1, 512, 512)
    corner[:, :, 480:500, 10:40] = 1
    with pytest.raises(NoFaceFound, match="the mask does not touch the face, which is at x"):
        complete_portraits(pipeline, astronaut, corner, boxes=FACE)


def test_no_face_is_said_with_the_picture_it_is_about(pipeline, astronaut, mouth):
    pictures = torch.cat([astronaut, torch.full_like(astronaut, 0.5)])
    with pytest.raises(NoFaceFound, match="picture 2 of 2: no face was found in the picture; give a box"):
        complete_portraits(pipeline, pictures, mouth)
    with pytest.raises(NoFaceFound, match="no face was found"):
        portrait_frame(pictures[1], None)


def test_choices_and_numbers_that_make_no_sense(pipeline, astronaut, mouth):
    with pytest.raises(ValueError, match="face must be one of 'auto', 'whole image', not 'left'"):
        complete_portraits(pipeline, astronaut, mouth, face="left")
    with pytest.raises(ValueError, match="samples must be at least 1"):
        complete_portraits(pipeline, astronaut, mouth, samples=0, boxes=FACE)
    with pytest.raises(ValueError, match="3 samples of 1 pictures need 3 seeds, not 2"):
        complete_portraits(pipeline, astronaut, mouth, samples=3, seeds=[1, 2], boxes=FACE)
    with pytest.raises(ValueError, match="there are 3 for 1"):
        complete_portraits(pipeline, astronaut, mouth, boxes=[FACE] * 3)


def test_a_portrait_latent_survives_its_file_without_losing_a_bit(pipeline, astronaut, mouth, tmp_path):
    latent = complete_portraits(pipeline, astronaut, mouth, boxes=FACE, samples=2)
    latent.save(tmp_path / "latent.safetensors")
    loaded = PortraitLatent.load(tmp_path / "latent.safetensors")
    assert torch.equal(render(pipeline, loaded), render(pipeline, latent))
    assert (tmp_path / "latent.safetensors").stat().st_size < 4 * 2**20, "8-bit pictures are stored as 8 bits"

    fine = complete_portraits(pipeline, astronaut * 0.987, mouth, boxes=FACE)
    fine.save(tmp_path / "fine.safetensors")
    assert torch.equal(PortraitLatent.load(tmp_path / "fine.safetensors").pictures, fine.pictures)


def test_other_files_are_no_portrait_latents(pipeline, tmp_path):
    pipeline.vector("angry").save(tmp_path / "vector.safetensors")
    with pytest.raises(
        BadFile, match="is not a saved EC-GAN portrait latent: it is a safetensors file of something else"
    ):
        PortraitLatent.load(tmp_path / "vector.safetensors")
