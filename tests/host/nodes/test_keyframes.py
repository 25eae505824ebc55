"""Emotions over time, through the node."""

from __future__ import annotations

import re

import pytest
import torch

from tests.host.pack import EMOTIONS, hole, picture, run, save_tiny

GLAD, GRIM = EMOTIONS[1:]


@pytest.fixture(scope="module")
def latents(pack, model):
    """Of one picture and of a clip of three."""
    inputs = {"mask": hole(), "emotion": EMOTIONS[0], "face": "whole image"}
    pictures = picture(channels=4, count=3)
    return [run(pack["MaskedFaceComplete"], model=model, image=some, **inputs)[1] for some in (pictures[:1], pictures)]


@pytest.fixture
def animate(pack, model):
    def call(latent, keyframes, **inputs):
        inputs = {"model": model, "latent": latent, "keyframes": keyframes, "easing": "linear", **inputs}
        return run(pack["ECGANEmotionKeyframes"], **inputs)

    return call


@pytest.fixture
def shifted(pack, model):
    def call(latent, *shifts):
        for emotion, strength in shifts:
            latent = run(pack["EmotionShift"], model=model, latent=latent, emotion=emotion, strength=strength)[1]
        return latent.image

    return call


def test_a_still_becomes_an_animation_whose_frames_are_shifts(animate, latents, shifted) -> None:
    still, _ = latents
    frames, curve, _ = animate(still, "0: calm\n2: 0.5 glad\n4: glad 1 - 0.5 grim # there")
    assert frames.shape == (5, 150, 200, 4)
    assert torch.equal(frames[0], still.image[0]), "nothing moves: the very pixels"
    assert torch.equal(frames[1], shifted(still, (GLAD, 0.25))[0])
    assert torch.equal(frames[2], shifted(still, (GLAD, 0.5))[0])
    torch.testing.assert_close(frames[4], shifted(still, (GLAD, 1.0), (GRIM, -0.5))[0], atol=1e-5, rtol=0)
    assert curve.shape[0] == 1
    assert curve.shape[3] == 3
    assert len(torch.unique(curve.reshape(-1, 3), dim=0)) > 20, "curves in colours"


def test_frames_easing_and_loop_are_heard(animate, latents, shifted) -> None:
    still, _ = latents
    held = animate(still, "0: calm\n2: glad", frames=5, easing="hold")[0]
    assert torch.equal(held[1], held[0])
    assert torch.equal(held[4], held[2])
    looped = animate(still, "0: calm\n2: glad", frames=4, loop=True)[0]
    assert torch.equal(looped[3], looped[1])
    eased = animate(still, "0: calm\n4: glad", easing="ease")[0]
    assert torch.equal(eased[1], shifted(still, (GLAD, 0.15625))[0])


def test_each_frame_of_a_clip_gets_its_own(animate, latents, shifted) -> None:
    _, clip = latents
    frames = animate(clip, "0: calm\n2: glad")[0]
    assert frames.shape == (3, 150, 200, 4)
    assert torch.equal(frames[0], clip.image[0])
    assert torch.equal(frames[1], shifted(clip, (GLAD, 0.5))[1])
    assert torch.equal(frames[2], shifted(clip, (GLAD, 1.0))[2])
    assert torch.equal(animate(clip, "0: calm\n2: glad", frames=3)[0], frames)
    with pytest.raises(ValueError, match="the clip has 3 frames, not 5; set 'frames' to 0"):
        animate(clip, "0: calm\n2: glad", frames=5)


def test_vectors_are_called_by_name(pack, model, animate, latents, shifted, comfyui) -> None:
    still, _ = latents
    mix = run(
        pack["ECGANEmotionMix"],
        model=model,
        **{f"emotion_{n}": GRIM for n in range(1, 5)},
        weight_1=0.5,
        weight_2=0.0,
        weight_3=0.0,
        weight_4=0.0,
    )[0]
    connected = animate(still, "0: vector 2", vector=mix)[0]
    torch.testing.assert_close(connected, shifted(still, (GRIM, 1.0)), atol=1e-5, rtol=0)
    mix.save(comfyui.models.parent / "ecgan_vectors" / "my smirk.safetensors")
    torch.testing.assert_close(animate(still, "0: 2 my smirk")[0], connected, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match=re.escape("line 1: there is no emotion 'vector'; known are calm, glad, grim")):
        animate(still, "0: vector 2")


def test_a_vector_that_is_replaced_is_drawn_anew(pack, model, comfyui) -> None:
    def stamp(keyframes: str | None) -> str:
        return pack["ECGANEmotionKeyframes"].fingerprint_inputs(keyframes=keyframes, model=model, frames=0)

    path, glad = comfyui.models.parent / "ecgan_vectors" / "replaced.safetensors", model.pipeline.vector(GLAD)
    glad.save(path)
    first, other, over_a_wire = stamp("0: Replaced 0.5"), stamp("0: calm"), stamp(None)
    (2 * glad).save(path)
    assert stamp(None) != over_a_wire, "nobody knows yet what comes"
    assert stamp("0: Replaced 0.5") != first
    assert stamp("0: calm") == other
    path.unlink()


def test_what_does_not_fit_is_said(animate, latents, pack, comfyui) -> None:
    still, _ = latents
    with pytest.raises(ValueError, match="line 2: there is no emotion 'gladd'"):
        animate(still, "0: calm\n3: gladd")
    with pytest.raises(ValueError, match="the last keyframe is frame 24000, and an animation has up to 4096 frames"):
        animate(still, "0: calm\n24000: glad")
    save_tiny(comfyui.models / "another.safetensors", seed=2)
    other = run(pack["LoadECGAN"], model="another.safetensors")[0]
    (comfyui.models / "another.safetensors").unlink()
    with pytest.raises(ValueError, match="made by another model"):
        animate(still, "0: calm", model=other)
    with pytest.raises(ValueError, match="'glad' belongs to another model"):
        animate(still, "0: vector", vector=other.pipeline.vector(GLAD))


def test_shift_emotion_moves_a_clip_over_time(pack, model, animate, latents, shifted) -> None:
    still, clip = latents
    keyframes = "0: calm\n2: glad 1 - 0.5 grim"
    frames, _, over_time = animate(clip, keyframes)

    def shift(latent, **inputs):
        return run(pack["EmotionShift"], model=model, latent=latent, over_time=over_time, **inputs)

    image, moved = shift(clip, strength=1.0, emotion="not looked at")
    assert torch.equal(image, frames)
    again = run(pack["EmotionShift"], model=model, latent=moved, emotion=GRIM, strength=0.5)[0]
    torch.testing.assert_close(again[2], shifted(clip, (GLAD, 1.0))[2], atol=1e-5, rtol=0)
    half = shift(clip, strength=0.5)[0]
    torch.testing.assert_close(half[2], shifted(clip, (GLAD, 0.5), (GRIM, -0.25))[2], atol=1e-5, rtol=0)
    assert torch.equal(shift(clip, strength=0.0)[0], clip.image)
    assert torch.equal(shift(still, strength=1.0)[0], still.image), "of a still, its first frame"
    with pytest.raises(ValueError, match="the input 'over_time' must be the keyframes of Emotion Keyframes"):
        run(pack["EmotionShift"], model=model, latent=clip, over_time="0: glad")
