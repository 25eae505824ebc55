from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter
from safetensors import safe_open
from safetensors.torch import save_file
from skimage import data

from ecgan_core import DEFAULT_CHECKPOINT, load_checkpoint
from ecgan_core.face.batch.places import portrait_frame
from ecgan_core.face.choosing import NoFaceFound
from ecgan_core.face.finder.finding import find_faces
from ecgan_core.face.frame import Box
from ecgan_core.face.portrait import PortraitLatent, complete_portraits, render, shift_portraits
from ecgan_core.files.tensors import BadFile
from ecgan_core.precision import arrange_for_cpu

FACE = Box(174, 67, 103, 103)


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
    assert torch.equal(together[3], alone[0]), "the second sample of the second picture, bit for bit on the CPU"


@pytest.mark.parametrize("at_once", [1, 8])
def test_more_faces_than_fit_at_once_are_reported_as_they_are_done(pipeline, astronaut, mouth, monkeypatch, at_once):
    monkeypatch.setattr(
        "ecgan_core.face.portrait.faces_at_once", lambda pipeline: at_once
    )  # 8 is a graphics card's number
    steps = []
    latent = complete_portraits(
        pipeline, astronaut, mouth, boxes=FACE, samples=11, on_step=lambda done, total: steps.append((done, total))
    )
    assert steps == [(11, 11)], "the samples of one face are completed together"
    steps.clear()
    render(pipeline, latent, on_step=lambda done, total: steps.append((done, total)))
    assert steps == ([(8, 11), (11, 11)] if at_once == 8 else [(done, 11) for done in range(1, 12)])
    assert len(latent) == 11
    ninth = complete_portraits(pipeline, astronaut, mouth, boxes=FACE, seeds=8)
    assert torch.allclose(latent[8].faces.z, ninth.faces.z, atol=1e-5)
    assert torch.allclose(render(pipeline, latent)[8], render(pipeline, ninth)[0], atol=1e-5)


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
    with pytest.raises(ValueError, match="picture 2 of 2: the mask is empty"):
        complete_portraits(pipeline, astronaut, torch.cat([mouth, 0 * mouth]), boxes=FACE, on_no_face="error")
    with pytest.raises(ValueError, match="the mask is 300×512 pixels but the picture is 512×512"):
        complete_portraits(pipeline, astronaut, mouth[..., :300], boxes=FACE)
    with pytest.raises(ValueError, match="the picture is RGBA"):
        complete_portraits(pipeline, torch.cat([astronaut, astronaut[:, :1]], dim=1), mouth)


def test_a_mask_beside_the_face_is_refused(pipeline, astronaut):
    corner = torch.zeros(1, 1, 512, 512)
    corner[:, :, 480:500, 10:40] = 1
    with pytest.raises(NoFaceFound, match="the mask does not touch the face, which is at x"):
        complete_portraits(pipeline, astronaut, corner, boxes=FACE)


@pytest.mark.slow
def test_no_face_is_said_with_the_picture_it_is_about(pipeline, astronaut, mouth):
    pictures = torch.cat([astronaut, torch.full_like(astronaut, 0.5)])
    with pytest.raises(NoFaceFound, match="picture 2 of 2: no face was found in the picture; give a box"):
        complete_portraits(pipeline, pictures, mouth, on_no_face="error")
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


# Any picture, any face ---

MOUTHS = ((730, 840), (2050, 1020))  # of the two people in the large picture


@pytest.fixture(scope="module")
def two_people() -> torch.Tensor:
    """A picture of 3000×2000 pixels with the astronaut in it twice, [1,3,2000,3000] in 0..1."""
    canvas = Image.new("RGB", (3000, 2000), (112, 120, 130))
    person = Image.fromarray(data.astronaut()[:300, 70:370])
    for left, top, size in ((150, 300, 1120), (1500, 500, 1060)):
        canvas.paste(person.resize((size, size), Image.Resampling.BICUBIC), (left, top))
    return torch.from_numpy(np.array(canvas)).permute(2, 0, 1)[None].float() / 255


def strokes(*mouths: tuple[int, int]) -> torch.Tensor:
    """A mask [1,1,2000,3000] painted over mouths with a soft brush, not quite straight."""
    mask = Image.new("L", (3000, 2000))
    draw = ImageDraw.Draw(mask)
    for x, y in mouths:
        draw.line([(x - 120, y - 5), (x - 30, y + 18), (x + 60, y - 9), (x + 130, y + 12)], fill=255, width=90)
    return torch.from_numpy(np.array(mask.filter(ImageFilter.GaussianBlur(12))))[None, None].float() / 255


def unchanged_outside(pictures: torch.Tensor, original: torch.Tensor, hole: torch.Tensor) -> bool:
    return (pictures - original)[(hole == 0).expand_as(pictures)].abs().max().item() == 0


def test_one_mouth_in_a_large_picture_of_two_people(pipeline, two_people):
    hole = strokes(MOUTHS[0])
    latent = complete_portraits(pipeline, two_people, hole, emotion="angry")
    assert len(latent.frames) == 1, "the other face is not touched"
    [frame] = latent.frames
    assert abs(frame.centre[0] - MOUTHS[0][0]) < 100
    picture = render(pipeline, latent)
    assert unchanged_outside(picture, two_people, hole)
    assert (picture != two_people)[hole.expand_as(picture) > 0.5].float().mean() > 0.9
    assert torch.equal(picture[..., 1400:], two_people[..., 1400:])


@pytest.mark.slow
def test_two_faces_under_one_mask_are_both_completed_and_moved(pipeline, two_people):
    hole = strokes(*MOUTHS)
    latent = complete_portraits(pipeline, two_people, hole, emotion="calm", seeds=3, samples=2)
    assert len(latent) == 2
    assert latent.owners == (0, 0, 1, 1)
    pictures = render(pipeline, latent)
    moved = render(pipeline, shift_portraits(pipeline, latent, pipeline.vector("joyful"), 1.0))
    assert pictures.shape == (2, 3, 2000, 3000)
    for after, before in ((pictures, two_people), (moved, pictures)):
        assert unchanged_outside(after, two_people, hole)
        for x, y in MOUTHS:
            part = (..., slice(y - 10, y + 10), slice(x - 50, x + 50))
            assert (after[part] - before[part]).abs().amax(dim=(1, 2, 3)).min() > 0.001, "each face of each sample"
    assert torch.equal(latent.changed > 0, (pictures != two_people).any(dim=1, keepdim=True) | (latent.changed > 0))
    assert not latent.changed[(hole == 0).expand(2, -1, -1, -1)].any()
    assert torch.equal(render(pipeline, latent[1])[0], pictures[1]), "a picture takes all its faces along"
    for known in (latent[1], latent[::-1][:1], latent.with_faces(latent.faces)):
        anew = dataclasses.replace(known)  # which knows nothing of what was found out about the pictures before
        assert torch.equal(known.changed, anew.changed)
        assert torch.equal(render(pipeline, known), render(pipeline, anew))


def test_seeds_of_several_faces_depend_on_the_seed_and_their_order_alone(pipeline, two_people):
    seen = [find_faces(two_people[0], all_faces=True)]  # near another hole a frame may be a pixel off
    both = complete_portraits(pipeline, two_people, strokes(*MOUTHS), seeds=5, boxes=seen)
    first = strokes(MOUTHS[1 if both.frames[0].x > 1500 else 0])
    one = complete_portraits(pipeline, two_people, first, seeds=5, boxes=seen)
    assert both.frames[0] == one.frames[0]
    assert torch.allclose(both.faces.z[0], one.faces.z[0], atol=1e-5), "the first face has the seed itself"
    later = complete_portraits(pipeline, two_people, strokes(*MOUTHS), seeds=[4, 5], samples=2, boxes=seen)
    assert torch.allclose(later.faces.z[2:], both.faces.z, atol=1e-5)
    assert not torch.allclose(later.faces.z[1], later.faces.z[3], atol=1e-3)


def test_several_faces_survive_their_file(pipeline, two_people, tmp_path):
    latent = complete_portraits(pipeline, two_people[..., ::4, ::4], strokes(*MOUTHS)[..., ::4, ::4], color_match=0.5)
    assert latent.owners == (0, 0)
    latent.save(tmp_path / "two.safetensors")
    loaded = PortraitLatent.load(tmp_path / "two.safetensors")
    assert (loaded.frames, loaded.owners, loaded.color_match) == (latent.frames, latent.owners, 0.5)
    assert torch.equal(render(pipeline, loaded), render(pipeline, latent))


def test_a_file_of_the_first_format_still_loads(pipeline, astronaut, mouth, tmp_path):
    latent = complete_portraits(pipeline, astronaut, mouth, face="whole image", boxes=FACE, samples=2, texture=0)
    latent.save(tmp_path / "new.safetensors")
    with safe_open(tmp_path / "new.safetensors", framework="pt") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
    del metadata["digest"]
    frames = [{key: frame[key] for key in ("x", "y", "side")} for frame in json.loads(metadata["frames"])]
    old = {"ecgan_portrait": "1", "model": metadata["model"], "frames": json.dumps(frames), "feather": "8"}
    save_file(tensors, tmp_path / "old.safetensors", old)
    loaded = PortraitLatent.load(tmp_path / "old.safetensors")
    assert torch.equal(render(pipeline, loaded), render(pipeline, latent))
    second = old | {"ecgan_portrait": "2", "frames": metadata["frames"], "owners": "[0, 1]", "color_match": "0.0"}
    save_file(tensors, tmp_path / "second.safetensors", second)
    assert torch.equal(render(pipeline, PortraitLatent.load(tmp_path / "second.safetensors")), render(pipeline, latent))
    save_file(tensors, tmp_path / "newer.safetensors", {**metadata, "ecgan_portrait": "4"})
    with pytest.raises(BadFile, match="newer than this version reads"):
        PortraitLatent.load(tmp_path / "newer.safetensors")
    for odd in ({"owners": "[0, 7]"}, {"asked": '{"texture": 2}'}, {"seeds": "[1]"}, {"lights": "[{}]"}):
        save_file(tensors, tmp_path / "odd.safetensors", {**metadata, **odd})
        with pytest.raises(BadFile, match="damaged"):
            PortraitLatent.load(tmp_path / "odd.safetensors")


@pytest.mark.parametrize("degrees", [-40, 25])
def test_a_tilted_face_is_completed_where_it_is(pipeline, degrees):
    person = Image.fromarray(data.astronaut()[:320, 66:386]).resize((640, 640), Image.Resampling.BICUBIC)
    mask = Image.new("L", (320, 320))
    ImageDraw.Draw(mask).ellipse((130, 130, 190, 160), fill=255)
    mask = mask.resize((640, 640))
    turned = [image.rotate(-degrees, Image.Resampling.BICUBIC) for image in (person, mask)]
    picture = torch.from_numpy(np.array(turned[0])).permute(2, 0, 1)[None].float() / 255
    hole = torch.from_numpy(np.array(turned[1]))[None, None].float() / 255
    latent = complete_portraits(pipeline, picture, hole)
    assert latent.frames[0].roll == pytest.approx(degrees + 3, abs=6)
    completed = render(pipeline, latent)
    assert unchanged_outside(completed, picture, hole)
    assert (completed != picture)[hole.expand_as(picture) > 0.5].float().mean() > 0.9


def test_boxes_beat_the_finder_and_the_mask_tells_which_are_meant(pipeline, two_people):
    left, right = Box(560, 500, 330, 420), Box(1900, 700, 310, 400)
    latent = complete_portraits(pipeline, two_people, strokes(MOUTHS[1]), boxes=[[left, right]])
    assert len(latent.frames) == 1
    assert latent.frames[0].x > 1500
    assert len(complete_portraits(pipeline, two_people, strokes(*MOUTHS), boxes=[[left, right]]).frames) == 2
    assert len(complete_portraits(pipeline, two_people, strokes(*MOUTHS), boxes=[[]]).frames) == 2, (
        "none: look for them"
    )


def test_a_matched_colour_moves_the_filling_only(pipeline, astronaut, mouth):
    plain, matched = (
        render(pipeline, complete_portraits(pipeline, astronaut, mouth, boxes=FACE, color_match=strength))
        for strength in (0.0, 1.0)
    )
    assert not torch.equal(plain, matched)
    assert unchanged_outside(matched, astronaut, mouth)
    with pytest.raises(ValueError, match="color_match must be from 0 to 1, not 2"):
        complete_portraits(pipeline, astronaut, mouth, boxes=FACE, color_match=2.0)


def test_a_spot_of_a_few_pixels_in_a_large_face_is_filled(pipeline, two_people):
    hole = torch.zeros(1, 1, 2000, 3000)
    hole[:, :, 840:843, 730:732] = 1
    latent = complete_portraits(pipeline, two_people, hole)
    assert latent.faces.hole.sum() > 0
    picture = render(pipeline, latent)
    assert (picture != two_people)[hole.expand_as(picture) > 0].float().mean() > 0.5


def test_the_visible_part_is_looked_at_once_for_all_samples(pipeline, astronaut, mouth):
    seen = []
    hook = pipeline.encoder.register_forward_hook(lambda module, given, out: seen.append(len(given[0])))
    try:
        together = complete_portraits(pipeline, astronaut, mouth, boxes=FACE, samples=4, seeds=7)
        assert seen == [1]
    finally:
        hook.remove()
    for sample in range(4):
        alone = complete_portraits(pipeline, astronaut, mouth, boxes=FACE, seeds=[7 + sample])
        assert torch.equal(together.faces.z[sample], alone.faces.z[0])
        assert torch.equal(render(pipeline, together[sample]), render(pipeline, alone))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dtype", "emotion"),
    [
        (DEFAULT_CHECKPOINT.name, torch.float32, "happy"),
        # Of half the side: a CPU that imitates bfloat16 takes its time.
        ("ecgan-portraits-128.safetensors", torch.bfloat16, None),
    ],
)
def test_a_sample_of_a_model_of_ours_is_the_same_alone_and_among_others(astronaut, mouth, name, dtype, emotion):
    """Bit for bit, before anything is rounded to bytes, in the networks as ComfyUI's node has them."""
    pipeline = load_checkpoint(DEFAULT_CHECKPOINT.with_name(name), dtype=dtype)
    arrange_for_cpu(pipeline)
    settings = {"emotion": emotion, "boxes": FACE, "variation": 1.0, "color_match": 0.5}
    together = complete_portraits(pipeline, astronaut, mouth, seeds=20, samples=3, **settings)
    pictures = render(pipeline, together)
    for sample in (0, 2):
        alone = complete_portraits(pipeline, astronaut, mouth, seeds=20 + sample, **settings)
        for name, tensor in alone.faces.tensors().items():
            assert torch.equal(together.faces.tensors()[name][sample], tensor[0]), name
        assert torch.equal(pictures[sample], render(pipeline, alone)[0])
