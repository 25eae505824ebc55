"""Shifting the emotion of completed faces, and building a vector from pictures, through the nodes."""

from __future__ import annotations

import pytest
import torch

from tests.host.pack import EMOTIONS, hole, picture, run, save_tiny


@pytest.fixture
def latent(complete):
    return complete(picture(channels=4, count=2), hole(), emotion=EMOTIONS[0])[1]


@pytest.fixture
def shift(pack, model):
    def call(latent, strength, **inputs):
        return run(pack["EmotionShift"], **{"model": model, "latent": latent, "strength": strength, **inputs})

    return call


def test_a_shift_by_0_is_the_same_picture_bit_for_bit(shift, latent):
    out, same = shift(latent, 0.0, emotion=EMOTIONS[1])
    assert out is latent.image, "not drawn again: on a graphics card that could differ in the last bit"
    assert shift(same, 0.0, emotion=EMOTIONS[2])[0] is latent.image


def test_a_shift_moves_the_face_only_and_not_its_input(shift, latent):
    before = latent.image.clone()
    out, moved = shift(latent, 1.0, emotion=EMOTIONS[1])
    inside = hole()[0] == 1
    assert torch.equal(out[:, ~inside], before[:, ~inside])
    assert (out != before).any(dim=-1)[:, inside].float().mean() > 0.9
    assert torch.equal(out[..., 3], before[..., 3])
    assert torch.equal(latent.image, before)
    back, _ = shift(moved, -1.0, emotion=EMOTIONS[1])
    torch.testing.assert_close(back, before, atol=1e-4, rtol=0)


def test_a_full_shift_from_neutral_is_the_emotion_and_shifts_chain(complete, shift, latent):
    glad = complete(picture(channels=4, count=2), hole(), emotion=EMOTIONS[1])[0]
    out, half = shift(latent, 0.5, emotion=EMOTIONS[1])
    assert not torch.equal(out, glad)
    torch.testing.assert_close(shift(half, 0.5, emotion=EMOTIONS[1])[0], glad, atol=1e-4, rtol=0)


def test_a_shift_refuses_what_it_cannot_follow(pack, comfyui, shift, latent):
    with pytest.raises(ValueError, match=", ".join(EMOTIONS)):
        shift(latent, 1.0, emotion="gladd")
    for nothing in (EMOTIONS[0], None, ""):
        with pytest.raises(ValueError, match=", ".join(EMOTIONS[1:])):
            shift(latent, 1.0, emotion=nothing)
    save_tiny(comfyui.models / "other.safetensors", seed=2)
    other = run(pack["LoadECGAN"], model="other.safetensors")[0]
    (comfyui.models / "other.safetensors").unlink()
    for strength in (0.0, 1.0):
        with pytest.raises(ValueError, match="another model"):
            shift(latent, strength, emotion=EMOTIONS[1], model=other)
        with pytest.raises(ValueError, match="'glad' belongs to another model"):
            shift(latent, strength, vector=other.pipeline.vector("glad"))


# Building a vector ---


@pytest.fixture
def build(pack, model):
    def call(images, neutral_images=None, **inputs):
        inputs = {"face": "whole image", "neutral_images": neutral_images, **inputs}
        return run(pack["EmotionVectorBuild"], model=model, images=images, **inputs)

    return call


def test_a_vector_from_pictures_shifts_and_is_explained(build, shift, latent):
    vector, report = build(picture(count=4), picture(90, 70, count=3, channels=4, seed=5), name=" smirk ")
    assert vector.name == "smirk"
    assert vector.direction.abs().sum() > 0
    assert report.startswith("smirk: 4 faces against 3 neutral ones")
    out, _ = shift(latent, 2.0, vector=vector, emotion="not looked at")
    assert not torch.equal(out, latent.image)


def test_without_neutral_pictures_the_models_own_neutral_is_the_origin(build):
    vector, report = build(picture(count=2))
    assert "the model's own neutral" in report
    assert vector.name == "my emotion"
    _, report = build(picture(count=2), picture(count=1))
    assert "2 faces against 1 neutral one:" in report


def test_a_vector_needs_a_name_and_a_face_in_each_picture(build):
    with pytest.raises(ValueError, match="name"):
        build(picture(), name="  ")
    with pytest.raises(ValueError, match="picture 1 of 2: no face was found in the picture of 'images'"):
        build(torch.full((2, 150, 200, 3), 0.5), face="auto", on_no_face="error")
    with pytest.raises(ValueError, match="in any of the 2 pictures"):
        build(torch.full((2, 150, 200, 3), 0.5), face="auto")
    with pytest.raises(ValueError, match="no face was found in any picture of 'images'; a vector needs at least one"):
        build(torch.full((2, 150, 200, 3), 0.5), face="auto", on_no_face="leave")
    with pytest.raises(ValueError, match="'neutral_images'"):
        build(picture(), picture(channels=1))


def test_the_menus_about_faces_are_the_cores(pack):
    from comfy_ecgan import portraits
    from ecgan_core import completion

    assert tuple(portraits.FACES) == completion.FACE_CHOICES
    assert tuple(portraits.NO_FACE) == completion.NO_FACE_CHOICES
