"""Loading models and completing faces, through the nodes."""

from __future__ import annotations

import os
import pickle
import re

import numpy as np
import pytest
import torch

from tests.host.pack import EMOTIONS, hole, picture, run, save_tiny

# Loading ---


def test_the_combos_offer_what_is_installed(pack, comfyui, tiny):
    from ecgan_core import DEFAULT_CHECKPOINT

    (comfyui.models / "notes.txt").write_text("not a model")
    (comfyui.models / "broken.safetensors").write_bytes(b"\x00" * 40)
    try:
        options = {slot.id: slot.options for slot in pack["LoadECGAN"].define_schema().inputs}["model"]
        emotions = {slot.id: slot for slot in pack["MaskedFaceComplete"].define_schema().inputs}["emotion"]
        shifts = {slot.id: slot for slot in pack["EmotionShift"].define_schema().inputs}["emotion"]
    finally:
        (comfyui.models / "notes.txt").unlink()
        (comfyui.models / "broken.safetensors").unlink()
    assert tiny in options
    assert "notes.txt" not in options
    assert DEFAULT_CHECKPOINT.name in options or not DEFAULT_CHECKPOINT.exists()
    assert emotions.default == "as the face suggests"
    assert set(EMOTIONS) < set(emotions.options)
    assert set(EMOTIONS[1:]) <= set(shifts.options)
    assert EMOTIONS[0] not in shifts.options, "a shift along neutral goes nowhere"


def test_a_replaced_file_is_loaded_again_and_a_touched_one_is_not(pack, comfyui):
    def stamp():
        return pack["LoadECGAN"].fingerprint_inputs(model=path.name, precision="auto")

    path = comfyui.models / "replaced.safetensors"
    save_tiny(path, seed=1)
    first = stamp()
    os.utime(path, (1, 1))
    assert stamp() == first, "it is in the metadata of saved pictures, which a file's time should not change"
    assert str(comfyui.models) not in first, "nor is it anybody's business where the file lies"
    save_tiny(path, seed=2)
    os.utime(path, (1, 1))
    assert stamp() != first, "another file of the same size and time"
    path.unlink()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps({"state_dict": 1}, protocol=2) + b" " * 64, ["pickle"]),
        (b"PK\x03\x04" + b"\x00" * 64, ["zip"]),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", ["not an EC-GAN checkpoint"]),
        ("newer", ["format 9", "update"]),
    ],
    ids=["pickle", "zip", "other safetensors", "newer format"],
)
def test_a_file_that_is_no_checkpoint_is_refused_in_one_sentence(pack, comfyui, content, words):
    path = comfyui.models / "unfit.safetensors"
    if content == "newer":
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(1)}, path, {"ecgan_format": "9"})
    else:
        path.write_bytes(content)
    try:
        with pytest.raises(ValueError, match=r"unfit\.safetensors") as refusal:
            run(pack["LoadECGAN"], model=path.name)
    finally:
        path.unlink()
    assert [word for word in words if word not in str(refusal.value)] == []
    assert "\n" not in str(refusal.value)


def test_a_model_that_is_not_installed_is_named_beside_those_that_are(pack, tiny):
    with pytest.raises(ValueError, match="nowhere") as refusal:
        run(pack["LoadECGAN"], model="../nowhere.safetensors")
    assert tiny in str(refusal.value)


def test_half_precision_completes_and_still_leaves_the_rest_alone(pack, tiny):
    model = run(pack["LoadECGAN"], model=tiny, precision="bf16")[0]
    image, mask = picture(), hole()
    out, _, _ = run(pack["MaskedFaceComplete"], model=model, image=image, mask=mask, face="whole image")
    assert out.dtype == torch.float32
    assert torch.equal(out[mask == 0], image[mask == 0])
    assert not torch.equal(out[mask == 1], image[mask == 1])


def test_comfyui_knows_the_networks_and_can_take_them_back(model, complete):
    import comfy.model_management as memory

    image, mask = picture(), hole()
    before = complete(image, mask)[0]
    assert any(loaded.model is model.patcher for loaded in memory.current_loaded_models)
    memory.unload_all_models()  # outside of inference mode, as ComfyUI does it
    assert not any(loaded.model is model.patcher for loaded in memory.current_loaded_models)
    assert torch.equal(complete(image, mask)[0], before)
    memory.free_memory(1e30, memory.get_torch_device())  # as another model does that needs the room
    assert torch.equal(complete(image, mask)[0], before)


# Completing ---


def test_outside_the_hole_every_pixel_is_the_inputs(complete):
    image, mask = picture(300, 260), hole(300, 260)
    kept = image.clone()
    out, _, changed = complete(image, mask)
    assert out.shape == image.shape
    assert torch.equal(out[mask == 0], image[mask == 0])
    assert (out[mask == 1] != image[mask == 1]).float().mean() > 0.9
    assert torch.equal(image, kept), "the input is in ComfyUI's cache and must not change"
    assert changed.shape == mask.shape
    assert (changed[mask == 0] == 0).all()
    different = (out != image).any(dim=-1)
    assert (changed[different] > 0).all()


def test_transparency_stays_as_it_came(complete):
    image, mask = picture(channels=4), hole()
    out, latent, _ = complete(image, mask, samples=2)
    assert out.shape == (2, *image.shape[1:])
    assert torch.equal(out[..., 3], image[..., 3].expand(2, -1, -1))
    assert torch.equal(out[1][mask[0] == 0], image[0][mask[0] == 0])
    assert torch.equal(out[..., :3], complete(image[..., :3], mask, samples=2)[0])
    assert latent.image is out


def test_masks_and_pictures_pair_up(complete):
    one, three = picture(), picture(count=3)
    assert len(complete(three, hole())[0]) == 3
    out, _, changed = complete(one, hole(count=3))
    assert len(out) == len(changed) == 3
    assert not torch.equal(changed[0], changed[2])
    assert len(complete(three, hole(count=3))[0]) == 3
    assert torch.equal(complete(three, hole()[0])[0], complete(three, hole())[0]), "[H,W] is one mask"
    with pytest.raises(ValueError, match=r"3 .*2 "):
        complete(three, hole(count=2))


def test_a_mask_of_the_same_proportions_is_scaled(complete):
    image, small = picture(150, 200), hole(75, 100)
    out, _, changed = complete(image, small)
    assert changed.shape == (1, 150, 200)
    assert torch.equal(out[changed == 0], image[changed == 0])
    assert (changed > 0).any()


def test_samples_differ_and_a_seed_gives_the_same_face_alone_or_among_others(complete):
    image, mask = picture(count=2), hole()
    out, _, _ = complete(image, mask, seed=7, samples=3, variation=2.0)
    assert len(out) == 6
    assert len({tuple(sample[mask[0] == 1].flatten()[:3000].tolist()) for sample in out}) == 6
    assert torch.equal(out[0][mask[0] == 0], image[0][mask[0] == 0])
    assert torch.equal(out[3][mask[0] == 0], image[1][mask[0] == 0]), "samples of one picture stay together"
    alone, _, _ = complete(image[1:], mask, seed=8, samples=1, variation=2.0)
    assert torch.equal(alone[0], out[4]), "bit for bit, on the CPU"
    largest, _, _ = complete(image[:1], mask, seed=2**64 - 1, samples=2)
    assert torch.equal(largest[1], complete(image[:1], mask, seed=0)[0][0])


def test_the_emotion_and_its_strength_show(complete):
    image, mask = picture(), hole()
    faces = [complete(image, mask, emotion=name)[0] for name in EMOTIONS]
    assert not torch.equal(faces[0], faces[1])
    assert not torch.equal(faces[1], faces[2])
    assert torch.equal(complete(image, mask, emotion=EMOTIONS[1], strength=0.0)[0], faces[0]), "at 0 it is neutral"


def test_a_face_box_wins_and_one_serves_all(complete):
    image, mask = picture(count=2), hole()
    boxed, _, _ = complete(image, mask, face="auto", face_box="40, 30, 90, 90")
    assert len(boxed) == 2
    assert not torch.equal(boxed, complete(image, mask)[0])
    for two in ("40, 30, 90, 90\n(40; 30; 90; 90)\n", "40, 30, 90, 90; 40, 30, 90, 90", "40; 30; 90; 90;"):
        assert torch.equal(complete(image, mask, face="auto", face_box=two)[0], boxed)
    with pytest.raises(ValueError, match="40, thirty") as refusal:
        complete(image, mask, face_box="40, thirty")
    assert "x, y, width, height" in str(refusal.value)


def test_nothing_over_a_wire_is_as_no_wire_and_0_is_false(complete):
    image, mask = picture(), hole()
    plain = complete(image, mask)[0]
    nothing = {"face_box": None, "on_no_face": None, "color_match": None, "track": 0, "inside_face": 0.0}
    assert torch.equal(complete(image, mask, **nothing)[0], plain)


BOX = {"x": 40, "y": 30, "width": 90, "height": 90}


@pytest.mark.parametrize(
    "boxes",
    [
        BOX,
        {**BOX, "label": "face", "score": 0.9},
        [[{**BOX, "x": 40.0, "label": "face", "score": 0.9}], [{**BOX, "label": "face", "score": 0.7}]],  # MediaPipe
        (40, 30, 90, 90),
        [40.0, 30.0, 90.0, 90.0],
        torch.tensor([[40, 30, 90, 90]]),
        [BOX],
        [BOX, BOX],
        [[BOX], [(40, 30, 90, 90)]],
        [[BOX]],
        [np.array([[40, 30, 90, 90]])],
    ],
    ids=lambda value: str(value).replace("\n", " ")[:40],
)
def test_boxes_of_other_packs_in_every_form(complete, boxes):
    image, mask = picture(count=2), hole()
    typed, _, _ = complete(image, mask, face_box="40, 30, 90, 90")
    assert torch.equal(complete(image, mask, bounding_boxes=boxes)[0], typed)


def test_boxes_are_given_to_the_pictures_they_are_for(complete):
    image, mask = picture(count=2), hole()
    first, second = {"x": 20, "y": 20, "width": 100, "height": 100}, BOX
    for boxes in ([first, second], [[first], [second]]):
        _, latent, _ = complete(image, mask, bounding_boxes=boxes)
        assert [frame.side for frame in latent.portrait.frames] == [127, 114]
    typed, _, _ = complete(image, mask, face_box="40, 30, 90, 90", bounding_boxes=first)
    assert torch.equal(typed, complete(image, mask, face_box="40, 30, 90, 90")[0]), "what is typed wins"
    none, _, _ = complete(image, mask, bounding_boxes=[])
    assert torch.equal(none, complete(image, mask)[0])


def test_what_a_page_sends_that_draws_the_wire_as_a_widget_counts_as_nothing(complete):
    untouched = {"x": 0, "y": 0, "width": 512, "height": 512}
    image, mask = picture(), hole()
    assert torch.equal(complete(image, mask, bounding_boxes=untouched)[0], complete(image, mask)[0])
    with pytest.raises(ValueError, match="512×512"):  # a detector's: it is used, and larger than this picture
        complete(image, mask, bounding_boxes=[untouched])


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ("here", "cannot be a str"),
        (7, "cannot be an int"),
        ({"x1": 1, "y1": 2, "x2": 3, "y2": 4}, "which is no box"),
        ([1, 2, 3], "[1, 2, 3], which is no box"),
        ([BOX, [BOX]], "where a list of boxes is due"),
        ([[BOX]] * 3, "boxes for 3 pictures, but there are 2"),
        ({**BOX, "width": 0}, "wider and higher than 0"),
        ([[40, 30, float("nan"), 90]], "a face box must"),
    ],
)
def test_boxes_that_cannot_be_used_get_one_sentence(complete, boxes, words):
    with pytest.raises(ValueError, match=re.escape(words)) as refusal:
        complete(picture(count=2), hole(), bounding_boxes=boxes)
    assert "bounding_boxes" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_colour_match_changes_the_filling_only(complete):
    image, mask = picture(), hole()
    plain, matched = (complete(image, mask, color_match=strength)[0] for strength in (0.0, 1.0))
    assert not torch.equal(plain, matched)
    assert torch.equal(matched[mask == 0], image[mask == 0])


def test_soft_mask_values_blend(complete):
    image, mask = picture(), hole()
    full, _, _ = complete(image, mask, feather=0)
    for share in (0.98, 0.3):
        out, _, changed = complete(image, share * mask, feather=0)
        inner = (0, slice(55, 95), slice(55, 95))  # a fainter mask hides less of the pixels that its edge cuts
        ratio = (out - image)[inner].abs().mean() / (full - image)[inner].abs().mean()
        assert ratio == pytest.approx(share, rel=0.05)
        assert changed.max() == pytest.approx(share)


@pytest.mark.parametrize(
    ("image", "inputs", "words"),
    [
        (picture(), {"mask": None}, ["no mask", "MaskEditor"]),
        (picture(), {"mask": torch.zeros(64, 64)}, ["mask is empty", "MaskEditor"]),
        (picture(), {"mask": torch.zeros(1, 64, 64)}, ["mask is empty", "MaskEditor"]),
        (
            picture(),
            {"mask": torch.cat([hole(), 0 * hole()]), "on_no_face": "error"},
            ["picture 2 of 2: the mask is empty"],
        ),
        (picture(), {"mask": torch.zeros(2, 150, 200)}, ["all 2 masks are empty", "MaskEditor"]),
        (picture(), {"mask": hole(200, 150)}, ["150×200", "200×150"]),
        (picture(channels=1), {"mask": hole()}, ["image", "RGB"]),
        (picture(), {"mask": hole(), "emotion": "gladd"}, ["'gladd'", ", ".join(EMOTIONS)]),
        (torch.full((1, 150, 200, 3), 0.5), {"mask": hole(), "face": "auto"}, ["no face", "whole image"]),
        (picture(), {"mask": hole(), "face": "elsewhere"}, ["'elsewhere'", "whole image"]),
        (picture(), {"mask": hole(), "face_box": "0, 0, 20, 20"}, ["mask does not touch the face"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_input_gets_one_sentence(complete, image, inputs, words):
    with pytest.raises(ValueError, match=re.escape(words[0])) as refusal:
        complete(image, **inputs)
    text = str(refusal.value)
    assert [word for word in words if word not in text] == []
    assert "\n" not in text


def test_what_was_done_otherwise_than_asked_for_is_said_on_the_node_and_in_the_log(pack, model, caplog):
    inputs = {"model": model, "image": picture(), "emotion": "glad", "face_box": "40, 30, 80, 80", "face": "auto"}
    inputs |= {"strength": 1.0, "seed": 0, "samples": 1, "variation": 0.5, "feather": 0}
    with torch.inference_mode():
        plain = pack["MaskedFaceComplete"].execute(mask=hole(), **inputs)
        inverted = pack["MaskedFaceComplete"].execute(mask=torch.ones(1, 150, 200), **inputs)
    assert plain.ui["ecgan_notes"] == []
    [note] = inverted.ui["ecgan_notes"]
    assert note.startswith("the mask looks inverted")
    assert plain.ui.keys() == inverted.ui.keys(), "ComfyUI joins what the first of several executions has"
    assert [record.getMessage() for record in caplog.records if note in record.getMessage()] == [f"EC-GAN: {note}"]


def test_progress_shows_each_sample_and_cancel_is_heard_between_them(complete):
    import comfy.model_management as memory
    import comfy.utils

    seen = []

    def watch(value, total, preview, node_id=None):
        seen.append((value, total, preview))
        if len(seen) == stop_after:
            memory.interrupt_current_processing()

    comfy.utils.set_progress_bar_global_hook(watch)
    try:
        stop_after = None
        complete(picture(), hole(), samples=3)
        assert [value for value, _, _ in seen] == sorted(value for value, _, _ in seen)
        assert seen[-1][0] == seen[-1][1]
        previews = [preview for _, _, preview in seen if preview]
        assert [(kind, image.size) for kind, image, _ in previews] == [("JPEG", (200, 150))] * 3

        seen.clear()
        stop_after = 3
        with pytest.raises(memory.InterruptProcessingException):
            complete(picture(), hole(), samples=3)
        assert len(seen) == 3
    finally:
        comfy.utils.set_progress_bar_global_hook(None)
        memory.interrupt_current_processing(False)


def test_the_automatic_precision_draws_the_pixels_of_float32(pack):
    """A CPU with AMX computes in bfloat16."""
    face, hole = (
        torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0)) - 0.5,
        torch.zeros(2, 1, 128, 128),
    )
    hole[:, :, 60:110, 30:90] = 1
    drawn = []
    for precision in ("auto", "fp32"):
        pipeline = run(pack["LoadECGAN"], model="ecgan-portraits-128.safetensors", precision=precision)[0].on_device()
        drawn.append(pipeline.decode(pipeline.complete(face, hole, emotion="happy", seeds=[1, 2])))
    difference = (drawn[0] - drawn[1]).abs()[hole.expand(2, 3, -1, -1) > 0] * 127.5
    assert difference.quantile(0.99) < 2, "in steps of an 8-bit picture"
