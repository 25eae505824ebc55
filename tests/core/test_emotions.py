from __future__ import annotations

import math

import pytest
import torch

from ecgan_core.emotions.codes import replicate, separation
from ecgan_core.emotions.sets import EmotionSet, UnknownEmotion
from ecgan_core.emotions.vectors import EmotionVector, mix
from ecgan_core.files.tensors import BadFile


def test_replication_repeats_the_label_until_the_code_is_full():
    label = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert replicate(label, 7).tolist() == [[1, 2, 3, 1, 2, 3, 1], [4, 5, 6, 4, 5, 6, 4]]


def test_unknown_emotion_lists_the_known_ones_and_the_nearest():
    emotions = EmotionSet(("calm", "joyful", "angry"), "calm")
    assert emotions.index("angry") == 2
    with pytest.raises(UnknownEmotion) as caught:
        emotions.index("Joyfull")
    assert str(caught.value) == (
        "this model has no emotion 'Joyfull'; it knows calm, joyful, angry; did you mean 'joyful'?"
    )


@pytest.mark.parametrize(
    ("names", "neutral", "sentence"),
    [
        ((), "calm", "at least one name"),
        (("calm", " "), "calm", "no empty ones"),
        (("calm", "calm"), "calm", "only once"),
        (("sad", "glad"), "calm", "'calm' is not one of sad, glad"),
    ],
)
def test_a_set_that_makes_no_sense_is_refused(names, neutral, sentence):
    with pytest.raises(ValueError, match=sentence):
        EmotionSet(names, neutral)


def vector(name: str, *direction: float, model: str = "aaaa") -> EmotionVector:
    return EmotionVector(name, torch.tensor(direction), model)


def test_vectors_add_subtract_and_scale():
    happy, shocked = vector("happy", 1, 0, 2), vector("shocked", 0, 4, 2)
    blend = 0.5 * happy + shocked * 0.25
    assert blend.direction.tolist() == [0.5, 1.0, 1.5]
    assert blend.name == "0.5 happy + 0.25 shocked"
    assert (happy - shocked).direction.tolist() == [1, -4, 0]
    assert (-(happy + shocked)).direction.tolist() == [-1, -4, -4]
    assert (-(happy + shocked)).name == "-(happy + shocked)"
    assert happy.direction.tolist() == [1, 0, 2], "arithmetic must not change its operands"


def test_vectors_of_two_models_do_not_mix():
    with pytest.raises(ValueError, match=r"'happy' and 'sad' belong to two different models \(aaaa and bbbb\)"):
        vector("happy", 1, 0) + vector("sad", 0, 1, model="bbbb")


def test_a_mix_is_named_after_what_is_in_it():
    happy, sad, neutral = vector("happy", 1.0, 0.0), vector("sad", 0.0, 1.0), vector("neutral", 0.0, 0.0)
    mixed = mix(neutral, [(0.6, happy), (-0.4, sad)])
    assert mixed.name == "0.6 happy - 0.4 sad"
    torch.testing.assert_close(mixed.direction, torch.tensor([0.6, -0.4]))
    assert mix(neutral, [(0.0, sad), (1.0, happy)]).name == "happy"
    assert mix(neutral, [(-0.5, sad)]).name == "-0.5 sad"
    assert mix(mixed, [(1.0, sad)]).name == "0.6 happy - 0.4 sad + sad"
    nothing = mix(neutral, [(0.0, sad)])
    assert nothing.name == "neutral"
    assert not nothing.direction.any()
    with pytest.raises(ValueError, match="two different models"):
        mix(mixed, [(1.0, vector("odd", 1.0, 1.0, model="bbbb"))])


def test_a_vector_has_to_be_finite():
    with pytest.raises(ValueError, match="finite"):
        vector("happy", 1, math.nan)


def test_a_vector_survives_its_file(tmp_path):
    saved = vector("ärger + 2 joy", 0.1, -3)
    saved.save(tmp_path / "a.safetensors")
    loaded = EmotionVector.load(tmp_path / "a.safetensors")
    assert (loaded.name, loaded.model) == (saved.name, saved.model)
    assert torch.equal(loaded.direction, saved.direction)
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"], "no temporary file may be left"


def test_other_files_are_no_vectors(tmp_path, pipeline):
    from ecgan_core.files.checkpoint import save_checkpoint

    save_checkpoint(pipeline, tmp_path / "model.safetensors")
    with pytest.raises(BadFile, match="is not an emotion vector: it is a safetensors file of something else"):
        EmotionVector.load(tmp_path / "model.safetensors")
    with pytest.raises(BadFile, match="there is no file"):
        EmotionVector.load(tmp_path / "missing.safetensors")


def test_separation_of_two_clear_groups():
    direction = torch.tensor([2.0, 0.0])
    neutral = torch.tensor([[-0.2, 9.0], [0.2, -9.0]])
    emotion = torch.tensor([[1.8, 3.0], [2.2, 5.0]])
    report = separation(emotion, neutral, direction)
    assert report.neutral_mean == pytest.approx(0)
    assert report.mean == pytest.approx(1), "the tip of the vector is 1"
    assert report.std == pytest.approx(0.1)
    # the sample deviation of each group is 0.2·√2 / 2 = 0.1414 in units of the vector
    assert report.d_prime == pytest.approx(1 / 0.141421, rel=1e-4)
    assert report.accuracy == 1
    assert "2 faces against 2 neutral ones: 100%" in str(report)
    assert "separates the emotion well" in str(report)


def test_separation_says_when_the_groups_overlap_and_when_it_cannot_tell():
    same = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.4, 0.6]])
    assert "hardly tells" in str(separation(same, same, torch.tensor([1.0, 0.0])))
    alone = separation(torch.ones(1, 2), torch.zeros(1, 2), torch.ones(2))
    assert math.isnan(alone.d_prime)
    assert "1 face against 1 neutral one:" in str(alone)
    assert "Give several different pictures" in str(alone)
