"""Every node with bad input, as ComfyUI's executor calls it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example
from hypothesis import strategies as st

from tests.fuzz.answers import answer, must_be_pictures, same
from tests.fuzz.examples import fuzz
from tests.fuzz.strategies import (
    box_texts,
    boxes,
    images,
    masks,
    masks_for,
    misshapen,
    mostly,
    numbers,
    odd_typed,
    sizes,
    spoilt,
    texts,
    things,
)
from tests.host.pack import EMOTIONS, hole, picture, run

strengths = st.sampled_from((-2.0, -0.5, 0.0, 0.3, 1, 2.0))
emotions = st.sampled_from(("as the face suggests", *EMOTIONS))
bad_numbers, bad_texts = st.one_of(numbers, things), st.one_of(texts, things)
bad_images = st.one_of(spoilt(images()), misshapen(), odd_typed(images()), things)
bad_masks = st.one_of(spoilt(masks), misshapen(), odd_typed(masks), masks, things)

LARGE = 10**7  # values; a second copy of a 4096×4096 picture would take its time
SIZED = sizes.flatmap(lambda size: st.tuples(images(size=st.just(size)), masks_for(*size)))
COMPLETE = {
    "both": SIZED,
    "emotion": emotions,
    "strength": st.sampled_from((0.0, 0.5, 1, 2.0)),
    "seed": st.sampled_from((0, 7, 2**63, 2**64 - 1)),
    "samples": st.sampled_from((1, 1, 1, 2)),
    "variation": st.sampled_from((0.0, 0.5, 2.0)),
    "face": st.just("whole image"),
    "feather": st.sampled_from((0, 1, 8, 256)),
    "face_box": st.sampled_from(("", "", "2, 2, 30, 30")),
    "color_match": st.sampled_from((0.0, 0.0, 0.5, 1.0)),
    "texture": st.sampled_from((0.0, 0.5, 1.0)),
    "on_no_face": st.sampled_from(("auto", "error", "leave")),
    "track": st.booleans(),
    "inside_face": st.booleans(),
    "texture_alive": st.booleans(),
}
BAD_COMPLETE = {
    "image": bad_images,
    "mask": bad_masks,
    "emotion": bad_texts,
    **dict.fromkeys(("strength", "seed", "samples", "variation", "feather", "color_match", "texture"), bad_numbers),
    "face": bad_texts,
    "on_no_face": bad_texts,
    "face_box": st.one_of(box_texts(), things),
    "bounding_boxes": boxes,
}


def keeping(inputs: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Copies of the tensors that a node is given: they are in ComfyUI's cache, and must come out as they went in."""
    return {
        name: value.clone()
        for name, value in inputs.items()
        if isinstance(value, torch.Tensor) and value.numel() < LARGE
    }


def ask(node: type, inputs: dict[str, Any]) -> tuple | None:
    kept = keeping(inputs)
    result = answer(lambda: run(node, **inputs))
    assert all(same(inputs[name], tensor) for name, tensor in kept.items()), "an input was changed in place"
    return result


def in_range(image: torch.Tensor) -> bool:
    return bool(image.numel()) and float(image.min()) >= 0 and float(image.max()) <= 1


def completed_as_promised(inputs: dict[str, Any], out: torch.Tensor, changed: torch.Tensor) -> None:
    image, mask = inputs["image"].float(), inputs["mask"]
    mask = mask.reshape(-1, *mask.shape[-2:]).float()
    count, samples = max(len(image), len(mask)), inputs["samples"]
    shape = (count * samples, *image.shape[1:])
    if in_range(image):
        must_be_pictures(out, shape)
    assert tuple(out.shape) == shape
    assert out.dtype == torch.float32
    assert all(map(math.isfinite, map(float, torch.aminmax(out))))
    must_be_pictures(changed, shape[:3])
    before = image.expand(count, -1, -1, -1).repeat_interleave(samples, dim=0)
    equal = (out == before).all(dim=-1)
    assert (equal | (changed > 0)).all()
    assert torch.equal(out[..., 3:], before[..., 3:])
    if mask.shape[1:] == image.shape[1:3]:
        untouched = (mask <= 0).expand(count, -1, -1).repeat_interleave(samples, dim=0)
        assert (equal | ~untouched).all()
    if out[..., :3].numel() > 300 and image[..., :3].any():
        assert out[..., :3].any(), "a black picture"


PLAIN = {
    "emotion": EMOTIONS[1], "strength": 1.0, "seed": 0, "samples": 1, "variation": 0.5, "face": "whole image",
    "feather": 8, "face_box": "", "color_match": 0.0, "texture": 1.0,
}  # fmt: skip


LARGE_HOLE = torch.zeros(1, 4096, 4096)
LARGE_HOLE[:, 2000:2500, 1800:2400] = 1


@fuzz(160, inputs=mostly(COMPLETE, BAD_COMPLETE))
@example(inputs=PLAIN | {"both": (torch.full((1, 4096, 4096, 3), 0.5), LARGE_HOLE), "feather": 200})
@example(inputs=PLAIN | {"both": (picture(1, 1), torch.ones(1, 1, 1))})
@example(inputs=PLAIN | {"both": (picture(40, 40, count=64), hole(40, 40))})
@example(inputs=PLAIN | {"both": (picture(40, 40), hole(40, 40)), "samples": 64})
@example(inputs=PLAIN | {"both": (picture(40, 40), hole(40, 40)), "strength": math.nan})
@example(inputs=PLAIN | {"both": (picture(40, 40), hole(40, 40)), "face_box": "0, 0, 1e30, 1e30"})
@example(inputs=PLAIN | {"both": (picture(40, 40), hole(40, 40)), "bounding_boxes": [[10**400, 0, 9, 9]]})
def test_complete(pack, model, inputs):
    inputs = dict(inputs)
    image, mask = inputs.pop("both")
    inputs = {"model": model, "image": image, "mask": mask, **inputs}
    result = ask(pack["MaskedFaceComplete"], inputs)
    if result is not None:
        out, latent, changed = result
        completed_as_promised(inputs, out, changed)
        assert latent.image is out


# Emotions ---


@pytest.fixture(scope="module")
def latent(pack, model):
    """Two completed faces with transparency."""
    image = picture(40, 48, count=2, channels=4)
    return run(pack["MaskedFaceComplete"], model=model, image=image, mask=hole(40, 48), face="whole image")[1]


WIRES = st.sampled_from(("model", "latent", "vector"))  # what a wire of another node of ours would bring


def wired(inputs: dict[str, Any], **wires: Any) -> dict[str, Any]:
    """`inputs`, in which the name of a wire stands for what travels on it."""
    picked = {name: wires.get(value, value) if isinstance(value, str) else value for name, value in inputs.items()}
    return {**{name: wires[name] for name in ("model", "latent")}, **picked}


bad_wires = st.one_of(things, WIRES)
own = st.sampled_from(EMOTIONS[1:])


@fuzz(
    120,
    inputs=mostly(
        {"strength": strengths, "emotion": own},
        {"model": bad_wires, "latent": bad_wires, "vector": bad_wires, "strength": bad_numbers, "emotion": bad_texts},
    ),
)
@example(inputs={"strength": math.nan, "emotion": EMOTIONS[1]})
@example(inputs={"strength": 1.0, "emotion": None})
def test_shift(pack, model, latent, inputs):
    inputs = wired(inputs, model=model, latent=latent, vector=model.pipeline.vector(EMOTIONS[2]))
    kept = latent.image.clone()
    result = ask(pack["EmotionShift"], inputs)
    assert same(latent.image, kept)
    if result is not None:
        out, shifted = result
        must_be_pictures(out, tuple(latent.image.shape))
        assert shifted.image is out
        untouched = hole(40, 48)[0] == 0
        assert torch.equal(out[:, untouched], kept[:, untouched])


@fuzz(
    60,
    inputs=mostly(
        {
            "emotion": own, "start": strengths, "end": strengths, "steps": st.sampled_from((2, 3)),
            "ping_pong": st.booleans(),
        },
        {
            "latent": bad_wires, "vector": bad_wires, "emotion": bad_texts, "ping_pong": things,
            **dict.fromkeys(("start", "end", "steps"), bad_numbers),
        },
    ),
)  # fmt: skip
def test_sweep(pack, model, latent, inputs):
    inputs = wired(inputs, model=model, latent=latent, vector=model.pipeline.vector(EMOTIONS[2]))
    result = ask(pack["ECGANEmotionSweep"], inputs)
    if result is not None:
        steps = 2 * inputs["steps"] - 2 if inputs["ping_pong"] else inputs["steps"]
        must_be_pictures(result[0], (2 * steps, *latent.image.shape[1:]))


PAIRS = [f"{what}_{number}" for what in ("emotion", "weight") for number in range(1, 5)]


@fuzz(
    120,
    inputs=mostly(
        {name: own if name.startswith("emotion") else strengths for name in PAIRS},
        {"model": bad_wires, "vector": bad_wires}
        | {name: bad_texts if name.startswith("emotion") else bad_numbers for name in PAIRS},
    ),
)
def test_mix(pack, model, latent, inputs):
    inputs = wired(inputs, model=model, latent=latent, vector=model.pipeline.vector(EMOTIONS[2]))
    del inputs["latent"]
    result = ask(pack["ECGANEmotionMix"], inputs)
    if result is not None:
        assert torch.isfinite(result[0].direction).all()
        assert len(result[0].name) < 1000


@fuzz(
    120,
    inputs=mostly(
        {"image": images(), "face": st.just("whole image")}, {"image": bad_images, "mask": bad_masks, "face": bad_texts}
    ),
)
def test_read(pack, model, inputs):
    result = ask(pack["ECGANInferEmotion"], {"model": model, **inputs})
    if result is not None:
        text, charts = result
        assert len(text.splitlines()) == len(charts) == len(inputs["image"])
        assert "nan" not in text
        must_be_pictures(charts, (len(charts), *charts.shape[1:]))


@fuzz(
    90,
    inputs=mostly(
        {"images": images(), "name": st.sampled_from(("smirk", " a b ")), "face": st.just("whole image")},
        {"images": bad_images, "neutral_images": st.one_of(images(), bad_images), "name": bad_texts, "face": bad_texts},
    ),
)
def test_build(pack, model, inputs):
    result = ask(pack["EmotionVectorBuild"], {"model": model, **inputs})
    if result is not None:
        vector, report = result
        assert torch.isfinite(vector.direction).all()
        assert report.startswith(vector.name)


# Files and holes ---


@fuzz(120, prefix=st.one_of(texts, things), name=texts)
@example(prefix="a/" * 2000 + "b", name="")
def test_save_and_load(pack, model, comfyui, prefix, name):
    vector = answer(lambda: replace(model.pipeline.vector(EMOTIONS[1]), name=name))
    if vector is None:
        return
    result = ask(pack["ECGANVectorSave"], {"vector": vector, "filename_prefix": prefix})
    folder = comfyui.models.parent / "ecgan_vectors"
    if result is not None:
        path = Path(result[0])
        assert path.resolve().is_relative_to(folder.resolve())
        loaded = run(pack["ECGANVectorLoad"], file=str(path.relative_to(folder)), model=model)[0]
        assert torch.equal(loaded.direction, vector.direction)
        path.unlink()
    assert not [file for file in folder.rglob("*") if file.is_file()], "something was left behind"


@fuzz(90, name=st.one_of(texts, things), precision=st.one_of(st.just("fp32"), texts, things))
def test_load(pack, tiny, name, precision):
    ask(pack["LoadECGAN"], {"model": name, "precision": precision})
    ask(pack["LoadECGAN"], {"model": tiny, "precision": precision})
    ask(pack["ECGANVectorLoad"], {"file": name})


@fuzz(
    120,
    inputs=mostly(
        {
            "image": images(),
            "part": st.sampled_from(("mouth", "whole face")),
            "grow": st.sampled_from((-0.5, 0.0, 0.5)),
            "soften": st.sampled_from((0, 9)),
            "face": st.just("whole image"),
        },
        {
            "image": bad_images, "part": bad_texts, "grow": bad_numbers, "soften": bad_numbers, "face": bad_texts,
            "face_box": st.one_of(box_texts(), things), "all_faces": things, "inside_face": things,
        },
    ),
)  # fmt: skip
@example(
    inputs={"image": torch.zeros(1, 1, 1, 3), "part": "eyes", "grow": 0.0, "soften": 0, "face": "auto"},
)
def test_face_hole(pack, inputs):
    result = ask(pack["ECGANFaceHole"], inputs)
    if result is not None:
        must_be_pictures(result[0], tuple(inputs["image"].shape[:3]))
        assert result[0].flatten(1).any(dim=1).all()
