"""The library itself, as Python programs call it: completing, shifting, reading, stitching, and latents from files."""

from __future__ import annotations

import json
import math

import pytest
import torch
from hypothesis import example
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from ecgan_core.face.batch.places import portrait_frame
from ecgan_core.face.choosing import choose_faces
from ecgan_core.face.frame import Box, Frame
from ecgan_core.face.holes import sample_holes
from ecgan_core.face.light import match_colour
from ecgan_core.face.portrait import complete_portraits, render, shift_portraits
from ecgan_core.face.portrait_latent import PortraitLatent
from ecgan_core.face.regions import PARTS, region_hole
from ecgan_core.face.stitch import blend_of, stitch_
from tests.fuzz.answers import answer, must_be_pictures, same
from tests.fuzz.examples import fuzz
from tests.fuzz.strategies import filled, masks, misshapen, mostly, numbers, odd_typed, seeds, spoilt, texts, things

plain_faces = st.builds(
    lambda count, seed: 2 * filled((count, 3, 64, 64), "noise", seed) - 1, st.sampled_from((1, 2)), seeds
)
plain_holes = st.builds(lambda seed: (filled((1, 1, 64, 64), "noise", seed) > 0.5).float(), seeds)
tensors = st.one_of(misshapen(), things)


@fuzz(
    250,
    inputs=mostly(
        {"face": plain_faces, "hole": plain_holes, "emotion": st.sampled_from((None, "calm")), "strength": st.just(1)},
        {
            "face": st.one_of(spoilt(plain_faces), odd_typed(plain_faces), tensors),
            "hole": st.one_of(spoilt(plain_holes), odd_typed(plain_holes), tensors),
            "emotion": st.one_of(texts, things), "strength": numbers, "variation": numbers,
            "seeds": st.lists(numbers, max_size=2),
        },
    ),
)  # fmt: skip
@example(
    inputs={"face": torch.zeros(1, 3, 64, 64), "hole": torch.ones(1, 1, 64, 64), "emotion": None, "strength": 1e30}
)
@example(
    inputs={"face": torch.zeros(1, 3, 64, 64), "hole": torch.ones(1, 1, 64, 64), "emotion": None, "seeds": [-(2**70)]}
)
def test_complete_decode_and_read(pipeline, inputs):
    face, hole = inputs["face"], inputs["hole"]
    if isinstance(face, torch.Tensor) and isinstance(hole, torch.Tensor) and hole.shape == (1, 1, 64, 64) and face.ndim:
        inputs["hole"] = hole = hole.expand(len(face), -1, -1, -1)
    seeds = inputs.pop("seeds", [3] * (len(face) if isinstance(face, torch.Tensor) and face.ndim else 1))
    kept = face.clone() if isinstance(face, torch.Tensor) else None
    latent = answer(lambda: pipeline.complete(**inputs, seeds=seeds))
    if latent is not None:
        out = answer(lambda: pipeline.decode(latent))
        if out is not None:
            assert torch.isfinite(out).all()
            untouched = (latent.hole == 0).expand_as(out)
            assert torch.equal(out[untouched], face.float()[untouched])
    probabilities = answer(lambda: pipeline.infer_emotion(face, hole))
    if probabilities is not None:
        torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(len(face)))
    answer(lambda: pipeline.build_vector("smirk", face))
    assert kept is None or same(face, kept)


sides = st.integers(1, 40)
frames = st.builds(Frame, st.integers(-30, 60), st.integers(-30, 60), sides, st.sampled_from((0.0, 0.0, 12.0, -44.0)))


@fuzz(250, size=st.tuples(sides, sides), frame=frames, mask=masks, feather=st.integers(-2, 300), seed=seeds)
def test_a_stitched_picture_is_one(size, frame, mask, feather, seed):
    picture = filled((3, *size), "noise", seed)
    mask = mask.float().reshape(-1, *mask.shape[-2:])[:1]
    hole = torch.nn.functional.interpolate(mask[None], size=size)[0]
    blend = blend_of(hole, frame, feather)
    out = stitch_(picture.clone(), filled((3, 16, 16), "noise", seed), frame, blend)
    must_be_pictures(out, (3, *size))
    weights = torch.zeros_like(hole)
    weights[:, blend.region[0], blend.region[1]] = blend.weights
    must_be_pictures(weights, (1, *size))
    assert torch.equal(out[:, weights[0] == 0], picture[:, weights[0] == 0])
    assert (weights <= hole).all()
    part = answer(lambda: region_hole(frame, *size, PARTS[seed % len(PARTS)]))
    must_be_pictures(part, (1, *size))


@fuzz(150, hole=masks, seed=seeds, strength=st.sampled_from((0.0, 0.3, 1.0)))
def test_matched_colours_are_colours(hole, seed, strength):
    hole = (
        torch.nn.functional.interpolate(hole.float().reshape(-1, 1, *hole.shape[-2:])[:1], size=(24, 24)) > 0
    ).float()
    patch, face = filled((1, 3, 24, 24), "noise", seed), filled((1, 3, 24, 24), "smooth", seed)
    out = match_colour(patch, face, hole, strength)
    must_be_pictures(out, (1, 3, 24, 24))
    assert torch.equal(out[:, :, hole[0, 0] == 0], patch[:, :, hole[0, 0] == 0])


finite_boxes = st.builds(
    lambda *sides: answer(lambda: Box(*sides)), *[st.one_of(st.integers(-9, 60), st.floats())] * 4
).filter(lambda box: box is not None)


@fuzz(150, box=finite_boxes, others=st.lists(finite_boxes, max_size=2), size=st.tuples(sides, sides))
@example(box=Box(0, 0, 1e-300, 1e-300), others=[Box(0, 0, 1e-300, 1e-300)], size=(40, 40))
@example(box=Box(1e30, 0, 20, 20), others=[], size=(40, 40))
def test_any_box_makes_a_frame_or_a_sentence(box, others, size):
    picture = filled((3, *size), "noise", 0)
    frame = answer(lambda: portrait_frame(picture, None, "whole image", box))
    assert frame is None or 1 <= frame.side <= 6 * max(size)
    if frame is not None:
        sound = [
            box,
            *(
                other
                for other in others
                if answer(lambda other=other: portrait_frame(picture, None, "whole image", other))
            ),
        ]
        assert choose_faces(sound, torch.ones(1, *size))


@fuzz(100, mix=st.dictionaries(st.sampled_from(("mouth", "box", "strokes", "nose")), numbers, max_size=3))
def test_holes_of_any_mix(mix):
    holes = answer(lambda: sample_holes(mix, 2, 16, torch.Generator().manual_seed(0)))
    if holes is not None:
        must_be_pictures(holes, (2, 1, 16, 16))


@pytest.fixture(scope="module")
def latent_file(pipeline, tmp_path_factory):
    """The parts of a saved latent, and a path to write others to."""
    path = tmp_path_factory.mktemp("latents") / "latent.safetensors"
    mask = torch.zeros(1, 1, 40, 40)
    mask[..., 10:30, 10:30] = 1
    complete_portraits(pipeline, filled((1, 3, 40, 40), "noise", 1), mask, face="whole image").save(path)
    with safe_open(path, "pt") as file:
        return path, {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


METADATA = ("frames", "owners", "feather", "color_match", "model", "asked", "seeds", "lights")
junk = st.one_of(
    numbers.filter(lambda n: not isinstance(n, int) or abs(n) < 10**300).map(json.dumps),
    st.sampled_from(
        ("", "[]", "[[]]", "[0, 0]", "[-1]", "[null]", "{}", "[{}]", '[{"x": 1, "y": 1, "side": 0}]', "nan")
    ),
    st.sampled_from(
        ('[{"exposure": {"gain": 1, "knee": 2, "top": 1, "brightest": NaN}, "tint": {"knots": [[0]], "share": 1}}]',)
    ),
    st.sampled_from(
        ('[{"x": 1e30, "y": 1, "side": 9}]', '[{"x": 1, "y": 1, "side": 1e9}]', '[{"x": "a", "y": 1, "side": 3}]')
    ),
)


@fuzz(
    200,
    spoiled=st.lists(st.tuples(st.integers(0, 20), st.one_of(misshapen(), spoilt(plain_faces))), max_size=1),
    said=st.dictionaries(st.sampled_from(METADATA), junk, max_size=1),
)
def test_a_latent_of_somebody_else(pipeline, latent_file, spoiled, said):
    path, tensors, metadata = latent_file
    names = sorted(tensors)
    changed = tensors | {names[i % len(names)]: tensor for i, tensor in spoiled}
    save_file({name: tensor.contiguous() for name, tensor in changed.items()}, path, metadata | said)
    latent = answer(lambda: PortraitLatent.load(path))
    if latent is not None:
        moved = answer(lambda: shift_portraits(pipeline, latent, pipeline.vector("joyful"), 0.5))
        out = None if moved is None else answer(lambda: render(pipeline, moved))
        assert out is None or all(map(math.isfinite, map(float, torch.aminmax(out))))
