"""Mixing, sweeping and reading emotions, through the nodes."""

from __future__ import annotations

import re

import pytest
import torch

from tests.host.pack import EMOTIONS, hole, picture, run, save_tiny

GLAD, GRIM = EMOTIONS[1:]


@pytest.fixture(scope="module")
def other(pack, comfyui):
    """Another model with emotions of the same names."""
    save_tiny(comfyui.models / "other.safetensors", seed=2)
    loaded = run(pack["LoadECGAN"], model="other.safetensors")[0]
    (comfyui.models / "other.safetensors").unlink()
    return loaded


# Mixing ---


@pytest.fixture
def mix(pack, model):
    def call(weights, **inputs):
        """A mix of (emotion, weight) pairs; the pairs that are left over have weight 0."""
        pairs = [*weights, *[("not one of this model's", 0.0)] * (4 - len(weights))]
        for number, (emotion, weight) in enumerate(pairs, start=1):
            inputs |= {f"emotion_{number}": emotion, f"weight_{number}": weight}
        return run(pack["ECGANEmotionMix"], **{"model": model, **inputs})[0]

    return call


def test_a_mix_is_the_weighted_sum_and_the_same_emotion_twice_adds_up(mix, model):
    glad, grim = model.pipeline.vector(GLAD), model.pipeline.vector(GRIM)
    mixed = mix([(GLAD, 0.1), (GRIM, -0.4), (GLAD, 0.2)])
    torch.testing.assert_close(mixed.direction, 0.3 * glad.direction - 0.4 * grim.direction)
    assert mixed.name == "0.3 glad - 0.4 grim"
    assert mix([(GLAD, 1.0)]).name == "glad"
    assert torch.equal(mix([(GLAD, 1.0)]).direction, glad.direction)


def test_mixes_chain_and_weights_of_0_are_not_looked_at(mix, model):
    mixed = mix([(GRIM, 0.5)], vector=mix([(GLAD, 0.6)]))
    assert mixed.name == "0.6 glad + 0.5 grim"
    same = mix([(GLAD, 0.6), (GRIM, 0.5)])
    torch.testing.assert_close(mixed.direction, same.direction)
    nothing = mix([])
    assert not nothing.direction.any()
    assert mix([(GLAD, 1.0)], vector=nothing).name == "glad"


def test_a_mix_says_which_emotion_or_vector_does_not_fit(mix, other):
    with pytest.raises(ValueError, match="'gladd'; it knows calm, glad, grim; did you mean 'glad'"):
        mix([("gladd", 0.5)])
    with pytest.raises(ValueError, match="'grim' belongs to another model"):
        mix([], vector=other.pipeline.vector(GRIM))


# Sweeping ---


@pytest.fixture(scope="module")
def latent(pack, model):
    inputs = {"image": picture(channels=4, count=2), "mask": hole(), "emotion": EMOTIONS[0], "face": "whole image"}
    return run(pack["MaskedFaceComplete"], model=model, **inputs)[1]


@pytest.fixture
def sweep(pack, model):
    def call(latent, **inputs):
        return run(pack["ECGANEmotionSweep"], **{"model": model, "latent": latent, "emotion": GLAD, **inputs})[0]

    return call


def test_each_frame_is_the_shift_of_its_strength_face_by_face(pack, model, sweep, latent):
    frames = sweep(latent, start=-0.5, end=1.0, steps=4)
    assert frames.shape == (8, 150, 200, 4)
    for step, strength in enumerate([-0.5, 0.0, 0.5, 1.0]):
        shifted = run(pack["EmotionShift"], model=model, latent=latent, emotion=GLAD, strength=strength)[0]
        assert torch.equal(frames[step], shifted[0])
        assert torch.equal(frames[4 + step], shifted[1])
    assert torch.equal(frames[1], latent.image[0]), "at 0 it is the input's, bit for bit"


def test_a_frame_at_0_is_the_inputs_however_the_steps_fall(sweep, latent):
    frames = sweep(latent, start=-0.3, end=0.6, steps=4)  # −0.3 + 0.9 / 3 is not 0 in floating point
    assert torch.equal(frames[1], latent.image[0])
    assert torch.equal(sweep(latent, start=1.0, end=0.0, steps=2)[3], latent.image[1])


def test_a_ping_pong_goes_back_without_showing_an_end_twice(sweep, latent):
    there, loop = sweep(latent, steps=3), sweep(latent, steps=3, ping_pong=True)
    assert len(loop) == 8
    assert torch.equal(loop, there[[0, 1, 2, 1, 3, 4, 5, 4]])
    assert len(sweep(latent, steps=2, ping_pong=True)) == 4


def test_a_sweep_follows_a_connected_vector_and_refuses_what_does_not_fit(sweep, mix, latent, other):
    along = sweep(latent, vector=mix([(GRIM, 1.0)]), emotion="not looked at", steps=2)
    assert torch.equal(along, sweep(latent, emotion=GRIM, steps=2))
    for inputs, words in [
        ({"emotion": "gladd"}, ", ".join(EMOTIONS)),
        ({"emotion": EMOTIONS[0]}, "choose one of glad, grim"),
        ({"vector": other.pipeline.vector(GRIM)}, "'grim' belongs to another model"),
        ({"model": other}, "made by another model"),
    ]:
        with pytest.raises(ValueError, match=re.escape(words)):
            sweep(latent, steps=2, **inputs)


def test_each_frame_is_shown_and_cancel_is_heard_between_them(sweep, latent):
    import comfy.model_management as memory
    import comfy.utils

    seen = []

    def watch(value, total, preview, node_id=None):
        seen.append((value, total, preview is not None))
        if value == stop_after:
            memory.interrupt_current_processing()

    comfy.utils.set_progress_bar_global_hook(watch)
    try:
        stop_after = None
        sweep(latent, steps=3)
        assert seen == [(0, 6, False), *[(frame, 6, True) for frame in range(1, 7)]]
        seen.clear()
        stop_after = 2
        with pytest.raises(memory.InterruptProcessingException):
            sweep(latent, steps=3)
        assert len(seen) == 3
    finally:
        comfy.utils.set_progress_bar_global_hook(None)
        memory.interrupt_current_processing(False)


# Reading ---


@pytest.fixture
def read(pack, model):
    def call(image, mask=None, **inputs):
        inputs = {"face": "whole image", **inputs}
        return run(pack["ECGANInferEmotion"], model=model, image=image, mask=mask, **inputs)

    return call


def test_it_reads_every_picture_as_text_and_as_a_chart(read, model):
    text, chart = read(picture(90, 90, count=2))
    lines = text.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["1", "2"]
    for line in lines:
        shares = dict(part.rsplit(" ", 1) for part in line.partition(": ")[2].split(", "))
        assert set(shares) == set(EMOTIONS)
        percents = [int(share.rstrip("%")) for share in shares.values()]
        assert percents == sorted(percents, reverse=True)
        assert 98 <= sum(percents) <= 102
    assert chart.ndim == 4
    assert chart.shape[0] == 2
    assert chart.shape[-1] == 3
    assert 0 <= chart.min() < chart.max() <= 1
    assert not torch.equal(chart[0], chart[1])
    assert not read(picture(90, 90))[0].startswith("1:"), "one picture needs no number"


def test_it_shows_text_and_chart_in_the_node(pack, model):
    shown = pack["ECGANInferEmotion"].execute(model=model, image=picture(), face="whole image").ui
    assert set(shown) >= {"images", "text"}
    assert "glad" in shown["text"][0]


def test_a_mask_hides_and_load_images_empty_one_hides_nothing(read):
    image = picture()
    whole, _ = read(image)
    assert read(image, torch.zeros(1, 64, 64))[0] == whole
    assert read(image, torch.ones(1, 150, 200))[0] != whole
    with pytest.raises(ValueError, match="64×64 pixels but the picture is 200×150"):
        read(image, torch.ones(1, 64, 64))
    with pytest.raises(ValueError, match="no face"):
        read(torch.full((1, 90, 90, 3), 0.5), face="auto")


def test_the_chart_keeps_long_names_in_their_column(pack):
    from comfy_ecgan.emotions.chart import NAMES, bar_chart

    short, long = (bar_chart({name: 0.25, "calm": 0.75}) for name in ("i", "an emotion that nobody can pronounce"))
    assert short.shape == long.shape
    assert torch.equal(short[..., NAMES + 16 :], long[..., NAMES + 16 :])
    assert torch.equal(short[..., :14], long[..., :14]), "the text is cut, not drawn over the edge"
