from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ecgan_core.emotions.sets import UnknownEmotion
from ecgan_core.emotions.vectors import EmotionVector
from ecgan_core.files.latents import FaceLatent
from ecgan_core.files.tensors import BadFile
from ecgan_core.pipeline import ECGANPipeline


def differs(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a - b).abs().max().item()


def test_outside_the_hole_the_face_is_untouched_and_inside_it_is_new(pipeline, faces, holes):
    completed = pipeline.decode(pipeline.complete(faces, holes, emotion="joyful", seeds=[1, 2, 3]))
    outside = (holes == 0).expand_as(faces)
    assert torch.equal(completed[outside], faces[outside])
    assert differs(completed[~outside], faces[~outside]) > 0.1
    assert completed.dtype == torch.float32
    assert completed.abs().max() <= 1


def test_what_the_hole_hides_has_no_influence(pipeline, faces, holes):
    hidden = torch.where(holes > 0, torch.full_like(faces, 0.77), faces)
    for emotion in ("angry", None):
        a = pipeline.decode(pipeline.complete(faces, holes, emotion=emotion, seeds=[1, 2, 3]))
        b = pipeline.decode(pipeline.complete(hidden, holes, emotion=emotion, seeds=[1, 2, 3]))
        assert differs(a, b) < 1e-6


def test_a_seed_gives_the_same_face_in_any_batch_and_another_seed_another(pipeline, faces, holes):
    together = pipeline.decode(pipeline.complete(faces, holes, emotion="calm", seeds=[7, 8, 9]))
    alone = pipeline.decode(pipeline.complete(faces[1:2], holes[1:2], emotion="calm", seeds=[8]))
    assert differs(alone[0], together[1]) < 1e-4  # float noise: convolutions round differently in another batch
    again = pipeline.decode(pipeline.complete(faces[1:2], holes[1:2], emotion="calm", seeds=[10]))
    assert differs(again, alone) > 1e-2


def test_without_variation_every_seed_gives_the_likeliest_face(pipeline, faces, holes):
    latents = [pipeline.complete(faces, holes, seeds=[seed] * 3, variation=0.0) for seed in (1, 2)]
    assert torch.equal(latents[0].z, latents[1].z)


def test_strength_moves_between_neutral_and_the_emotion(pipeline, faces, holes):
    def code(emotion, strength):
        return pipeline.complete(faces, holes, emotion=emotion, strength=strength, seeds=[0] * 3).code

    neutral, angry = pipeline.generator.emotion_codes[0], pipeline.generator.emotion_codes[2]
    assert torch.allclose(code("angry", 0.0), neutral.expand(3, -1))
    assert torch.allclose(code("angry", 1.0), angry.expand(3, -1))
    assert torch.allclose(code("angry", -0.5), (neutral - 0.5 * (angry - neutral)).expand(3, -1))


def test_with_no_emotion_asked_for_the_visible_part_decides(pipeline, faces, holes):
    suggested = pipeline.infer_emotion(faces, holes) @ pipeline.generator.emotion_codes
    assert torch.allclose(pipeline.complete(faces, holes, seeds=[0] * 3).code, suggested, atol=1e-6)


def test_an_emotion_of_another_model_is_refused_with_the_known_ones(pipeline, faces, holes):
    with pytest.raises(UnknownEmotion, match="no emotion 'smug'; it knows calm, joyful, angry"):
        pipeline.complete(faces, holes, emotion="smug", seeds=[0] * 3)


def test_shift_by_zero_changes_nothing_bit_for_bit(pipeline, faces, holes):
    latent = pipeline.complete(faces, holes, seeds=[1, 2, 3])
    unshifted = pipeline.shift(latent, pipeline.vector("angry"), 0.0)
    assert torch.equal(unshifted.code, latent.code)
    assert torch.equal(pipeline.decode(unshifted), pipeline.decode(latent))


def test_a_shift_changes_the_hole_only_and_can_be_taken_back(pipeline, faces, holes):
    latent = pipeline.complete(faces, holes, seeds=[1, 2, 3])
    shifted = pipeline.shift(latent, pipeline.vector("angry"), 1.5)
    picture, before = pipeline.decode(shifted), pipeline.decode(latent)
    outside = (holes == 0).expand_as(faces)
    assert torch.equal(picture[outside], faces[outside])
    assert differs(picture, before) > 1e-2
    back = pipeline.shift(shifted, pipeline.vector("angry"), -1.5)
    assert differs(pipeline.decode(back), before) < 1e-4
    assert torch.equal(pipeline.decode(latent), before), "shifting must leave its input as it was"


def test_a_shift_from_neutral_by_the_whole_vector_is_the_emotion(pipeline, faces, holes):
    calm = pipeline.complete(faces, holes, emotion="calm", seeds=[1, 2, 3])
    joyful = pipeline.complete(faces, holes, emotion="joyful", seeds=[1, 2, 3])
    shifted = pipeline.shift(calm, pipeline.vector("joyful"), 1.0)
    assert differs(pipeline.decode(shifted), pipeline.decode(joyful)) < 1e-4


def test_shifting_by_two_vectors_is_shifting_by_their_sum(pipeline, faces, holes):
    latent = pipeline.complete(faces, holes, seeds=[1, 2, 3])
    joyful, angry = pipeline.vector("joyful"), pipeline.vector("angry")
    one_by_one = pipeline.shift(pipeline.shift(latent, joyful, 0.6), angry, -0.4)
    at_once = pipeline.shift(latent, 0.6 * joyful - 0.4 * angry, 1.0)
    assert differs(pipeline.decode(one_by_one), pipeline.decode(at_once)) < 1e-4


def test_vectors_and_latents_of_another_model_are_refused(pipeline, other_pipeline, faces, holes):
    latent = pipeline.complete(faces, holes, seeds=[1, 2, 3])
    with pytest.raises(ValueError, match="the emotion vector 'angry' belongs to another model"):
        pipeline.shift(latent, other_pipeline.vector("angry"), 1.0)
    with pytest.raises(ValueError, match="this latent was made by another model"):
        other_pipeline.decode(latent)
    with pytest.raises(ValueError, match="this latent was made by another model"):
        other_pipeline.shift(latent, other_pipeline.vector("angry"), 1.0)


def test_the_vector_of_neutral_is_nothing(pipeline):
    assert not pipeline.vector("calm").direction.any()


def test_emotion_probabilities_do_not_depend_on_the_batch_or_on_training_mode(pipeline, faces, holes):
    probabilities = pipeline.infer_emotion(faces, holes)
    assert probabilities.shape == (3, 3)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(3))
    statistics = [buffer.clone() for buffer in pipeline.discriminator.buffers()]
    pipeline.discriminator.train()
    try:
        alone = pipeline.infer_emotion(faces[:1], holes[:1])
        assert pipeline.discriminator.training, "the mode must be put back"
    finally:
        pipeline.discriminator.eval()
    assert torch.allclose(alone, probabilities[:1], atol=1e-5)
    assert all(torch.equal(a, b) for a, b in zip(statistics, pipeline.discriminator.buffers(), strict=True))


def test_a_vector_built_from_faces_points_from_neutral_to_them(pipeline, faces):
    vector, report = pipeline.build_vector("wry", faces[:2], faces[2:])
    codes = pipeline.infer_emotion(faces) @ pipeline.generator.emotion_codes
    assert torch.allclose(vector.direction, codes[:2].mean(dim=0) - codes[2], atol=1e-6)
    assert (vector.name, vector.model) == ("wry", pipeline.fingerprint)
    assert report.mean == pytest.approx(1, abs=1e-4)
    assert (report.count, report.neutral_count) == (2, 1)

    without_neutral, _ = pipeline.build_vector("wry", faces)
    origin = pipeline.generator.emotion_codes[0]
    assert torch.allclose(without_neutral.direction, codes.mean(dim=0) - origin, atol=1e-6)
    with pytest.raises(ValueError, match="'wry' needs at least one picture"):
        pipeline.build_vector("wry", faces[:0])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_keeps_the_promises(pipeline, faces, holes, dtype, tmp_path):
    pipeline.save_pretrained(tmp_path)
    half = ECGANPipeline.from_pretrained(tmp_path).to(dtype=dtype)
    assert half.fingerprint == pipeline.fingerprint
    half.generator.to(memory_format=torch.channels_last)
    assert half.fingerprint == pipeline.fingerprint
    latent = half.complete(faces, holes, emotion="calm", seeds=[1, 2, 3])
    completed = half.decode(latent)
    outside = (holes == 0).expand_as(faces)
    assert completed.dtype == torch.float32
    assert torch.equal(completed[outside], faces[outside])
    full = pipeline.decode(pipeline.complete(faces, holes, emotion="calm", seeds=[1, 2, 3]))
    assert (completed - full).abs().mean() < 0.02
    everything = half.decode(half.complete(faces, torch.ones_like(holes), seeds=[1, 2, 3]))
    assert everything.isfinite().all(), "a hole over the whole face leaves nothing to copy from"


def test_fingerprints_tell_models_apart(pipeline, other_pipeline):
    assert len(pipeline.fingerprint) == 12
    assert pipeline.fingerprint != other_pipeline.fingerprint
    renamed = ECGANPipeline(
        pipeline.encoder, pipeline.generator, pipeline.discriminator, ["calm", "joyful", "cross"], "calm"
    )
    assert renamed.fingerprint != pipeline.fingerprint


def test_the_names_have_to_fit_the_generator(pipeline):
    with pytest.raises(ValueError, match="built for 3 emotions but 2 are named: a, b"):
        ECGANPipeline(pipeline.encoder, pipeline.generator, pipeline.discriminator, ["a", "b"], "a")


def test_wrong_shapes_and_seeds_are_refused(pipeline, faces, holes):
    with pytest.raises(ValueError, match=r"takes faces \[B,3,64,64\], not \[3, 3, 32, 32\]"):
        pipeline.complete(faces[:, :, :32, :32], holes, seeds=[1, 2, 3])
    with pytest.raises(ValueError, match="as many holes as faces, but there are 1 and 3"):
        pipeline.complete(faces, holes[:1], seeds=[1, 2, 3])
    with pytest.raises(ValueError, match="there are 3 faces and 2 seeds"):
        pipeline.complete(faces, holes, seeds=[1, 2])


def test_a_latent_can_be_indexed_joined_and_moved(pipeline, faces, holes):
    latent = pipeline.complete(faces, holes, seeds=[1, 2, 3])
    assert len(latent) == 3
    assert len(latent[-1]) == 1
    assert torch.equal(latent[-1].z[0], latent.z[2])
    assert torch.equal(FaceLatent.cat([latent[:1], latent[1:]]).features[1], latent.features[1])
    assert torch.equal(latent[[1, 2]].z, latent.z[1:])
    assert torch.equal(latent[[2, 0]].z, latent.z[[2, 0]])
    for beyond in (3, [3], [2, 3]):
        with pytest.raises(IndexError):
            latent[beyond]
    half = latent.to(dtype=torch.float16)
    assert half.z.dtype == half.features[0].dtype == torch.float16
    assert torch.equal(half.face, latent.face), "the crop's pixels must stay exact"


def test_a_latent_survives_its_file(pipeline, faces, holes, tmp_path):
    latent = pipeline.complete(faces, holes, seeds=[1, 2, 3])
    latent.save(tmp_path / "latent.safetensors")
    loaded = FaceLatent.load(tmp_path / "latent.safetensors")
    assert torch.equal(pipeline.decode(loaded), pipeline.decode(latent))
    EmotionVector("x", torch.ones(2), "m").save(tmp_path / "vector.safetensors")
    with pytest.raises(BadFile, match="is not a saved EC-GAN latent"):
        FaceLatent.load(tmp_path / "vector.safetensors")


def test_calling_the_pipeline_takes_pictures_of_any_kind_and_size(pipeline):
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
    mask = np.zeros((90, 120), np.float32)
    mask[30:60, 40:80] = 1
    of_pil = pipeline(Image.fromarray(pixels), Image.fromarray((mask * 255).astype(np.uint8)), seed=3, output_type="pt")
    of_array = pipeline(pixels, mask, seed=3, output_type="pt")
    tensor_of_bytes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    tensor = tensor_of_bytes / 255
    of_tensor = pipeline(tensor, torch.from_numpy(mask)[None, None], seed=3, output_type="pt")
    assert of_pil.images.shape == (1, 3, 64, 64)
    assert differs(of_pil.images, of_array.images) < 1e-4
    assert differs(of_tensor.images, of_array.images) < 1e-4
    for of_bytes in (
        pipeline([pixels, pixels], mask, seed=3, output_type="pt"),
        pipeline(tensor_of_bytes, mask, seed=3, output_type="pt"),
    ):
        assert differs(of_bytes.images[:1], of_array.images) < 1e-4


def test_samples_of_one_call_are_the_seeds_that_follow(pipeline):
    picture, mask = Image.new("RGB", (64, 64), "teal"), Image.new("L", (64, 64), 255)
    two = pipeline(picture, mask, emotion="joyful", seed=3, samples=2, output_type="pt")
    second = pipeline(picture, mask, emotion="joyful", seed=4, output_type="pt")
    assert differs(two.images[1], second.images[0]) < 1e-4
    assert differs(two.images[0], two.images[1]) > 1e-2
    images = pipeline(picture, mask, samples=2).images
    assert [image.size for image in images] == [(64, 64), (64, 64)]


def test_calling_with_what_cannot_be_taken_is_refused(pipeline):
    picture, mask = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    with pytest.raises(ValueError, match=r"in 0\.\.1, but there are values from 0 to 255"):
        pipeline(torch.linspace(0, 255, 3 * 64 * 64).view(1, 3, 64, 64), mask)
    with pytest.raises(ValueError, match="2 pictures and 3 masks do not pair up"):
        pipeline(picture.expand(2, -1, -1, -1), mask.expand(3, -1, -1, -1))
    with pytest.raises(ValueError, match="at least 1 sample, not 0"):
        pipeline(picture, mask, samples=0)
    with pytest.raises(ValueError, match="the mask is empty"):
        pipeline(picture, torch.zeros(1, 1, 64, 64))
    with pytest.raises(ValueError, match="the picture has 4 channels"):
        pipeline(torch.rand(1, 4, 64, 64), torch.ones(1, 1, 64, 64))
