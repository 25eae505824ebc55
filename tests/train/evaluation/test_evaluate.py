"""`evaluate` measures what it says: checked with a pipeline whose answers are known."""

import dataclasses
import json
import shutil

import pytest
import torch

from ecgan_core.face.holes import REGIONS
from ecgan_core.files.checkpoint import load_checkpoint, save_checkpoint
from train.cli import main
from train.config import load_config
from train.data.faces import FaceSet, load_faces, to_float
from train.evaluation.evaluate import Extras, make_instruments, still_faces
from train.evaluation.identity import IdentityNetwork, baselines, load_identity, save_identity, train_identity
from train.evaluation.judge import Judge, load_judge, look_at, save_judge, train_judge
from train.evaluation.measure import (
    HOLES,
    Instruments,
    Subjects,
    diversity,
    holes_for,
    measure,
    pairs_of,
    reference_faces,
    sample_pairs,
)
from train.learning.networks import build_networks, pipeline_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def instruments(recipe, data, networks):
    config = load_config(recipe)
    training, held_out = load_faces(config, data), load_faces(config, data, held_out=True)
    judge = load_judge(networks / "judge.safetensors", config.emotions)
    reference = look_at(training.faces[reference_faces(training, held_out)], judge.features).mean(dim=(2, 3))
    return Instruments(judge, reference, load_identity(networks / "identity.safetensors"))


@pytest.fixture(scope="module")
def subjects(recipe, data, instruments):
    return Subjects.of(load_faces(load_config(recipe), data, held_out=True), instruments)


@pytest.fixture(scope="module")
def checkpoint(recipe, tmp_path_factory):
    config = load_config(recipe)
    path = tmp_path_factory.mktemp("checkpoint") / "untrained.safetensors"
    pipeline = pipeline_of(build_networks(config), config)
    pipeline.encoder.deviations.normal_(generator=torch.Generator().manual_seed(0))  # a run would have measured them
    save_checkpoint(pipeline, path)
    return path


class TruthTeller:
    """A pipeline that completes every face with the real picture of the same person's wanted emotion."""

    def __init__(self, faces, config):
        self.faces, self.config, self.real = faces, config, to_float(faces.faces)

    def complete(self, face, hole, emotion, seeds, variation):
        wanted = self.config.emotions.index(emotion)
        given = [next(i for i, real in enumerate(self.real) if torch.equal(real, one)) for one in face]
        people = [self.faces.identity[i] for i in given]
        index = [
            next(j for j in range(len(self.faces)) if self.faces.identity[j] == p and self.faces.emotion[j] == wanted)
            for p in people
        ]
        return face * (1 - hole) + self.real[index] * hole

    def decode(self, latent):
        return latent


class Unmoved(TruthTeller):
    """A pipeline that gives back the input, whatever emotion it is asked for."""

    def complete(self, face, hole, emotion, seeds, variation):
        return face


@pytest.mark.slow
@pytest.mark.slow
def test_the_ceiling_is_what_the_truth_itself_scores(recipe, instruments, subjects):
    config, faces = load_config(recipe), subjects.faces
    result = measure(TruthTeller(faces, config), instruments, subjects, config, "whole face", pairs_of(faces))
    assert result.accuracy == result.ceiling > 0.6
    assert result.share_of_ceiling == 1
    assert result.pairs == 3 * len(faces)
    assert result.psnr == float("inf")
    assert result.ssim == pytest.approx(1, abs=1e-4)
    assert result.l1 == result.diversity == 0
    assert result.closer.pixels == result.closer.features == 1
    assert result.identity == pytest.approx(result.identity_ceiling)
    assert result.outside_equal


@pytest.mark.slow
@pytest.mark.slow
def test_a_model_that_changes_nothing_fails_where_it_should(recipe, instruments, subjects):
    config, faces = load_config(recipe), subjects.faces
    result = measure(Unmoved(faces, config), instruments, subjects, config, "lower face", pairs_of(faces))
    assert result.accuracy == pytest.approx(1 / 3, abs=0.15)  # right for the input's own emotion alone
    assert result.closer.pixels == result.closer.features == 0
    assert result.closer.l1_to_truth > result.closer.l1_to_input == 0
    assert result.identity == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_the_spread_of_samples_follows_the_variation(recipe, subjects, checkpoint):
    config, pipeline = load_config(recipe), load_checkpoint(checkpoint)
    spreads = [diversity(pipeline, subjects.faces, config, "whole face", variation) for variation in (0.0, 0.5, 1.0)]
    assert 0 == spreads[0] < spreads[1] < spreads[2]


def test_pairs_are_of_the_same_person_and_as_many_for_every_emotion(recipe, data):
    faces = load_faces(load_config(recipe), data, held_out=True)
    source, truth = pairs_of(faces)
    assert all(faces.identity[i] == faces.identity[j] for i, j in zip(source, truth, strict=True))
    assert len(sample_pairs(faces, 0)[0]) == len(source)
    some = sample_pairs(faces, 4)
    assert faces.emotion[some[1]].bincount().tolist() == [4, 4, 4]
    assert torch.equal(some[0], sample_pairs(faces, 4)[0])


@pytest.mark.parametrize("kind", HOLES)
def test_holes_are_the_same_in_every_evaluation(kind):
    holes = holes_for(kind, 3, 64)
    assert holes.shape == (3, 1, 64, 64)
    assert 0 < holes.mean() < 0.6
    assert torch.equal(holes, holes_for(kind, 3, 64))
    assert kind in REGIONS or not torch.equal(holes[0], holes[1])


def test_the_judge_learns_what_was_drawn(recipe, data, networks):
    config = load_config(recipe)
    faces = load_faces(config, data, held_out=True)
    judge = networks / "judge.safetensors"
    read = look_at(faces.faces, load_judge(judge, config.emotions))
    assert (read.argmax(1) == faces.emotion).float().mean() > 0.7
    with pytest.raises(ValueError, match="knows neutral, happy, surprised, not a, b"):
        load_judge(judge, ("a", "b"))
    with pytest.raises(ValueError, match="is not an emotion judge"):
        load_judge(networks / "identity.safetensors", config.emotions)
    with pytest.raises(ValueError, match="is not an identity network"):
        load_identity(judge)


def test_who_judges_was_not_taught_on_those_who_are_held_out(recipe, data, networks, tmp_path):
    config = load_config(recipe)
    training, held_out = load_faces(config, data), load_faces(config, data, held_out=True)
    one, identity = held_out.identity[0], load_identity(networks / "identity.safetensors")
    judge, files = (
        load_judge(networks / "judge.safetensors", config.emotions),
        Extras(judge=tmp_path / "judge.safetensors", identity=tmp_path / "identity.safetensors"),
    )
    for of_judge, of_identity, option in (([one], [], "--judge"), ([], [one], "--identity")):
        save_judge(judge, files.judge, config.emotions, [*training.identity, *of_judge])
        save_identity(identity, files.identity, [*training.identity, *of_identity])
        with pytest.raises(ValueError, match=f"taught on 1 of the people who are held out.*another {option}"):
            make_instruments(training, held_out, config, tmp_path, files, print)
    save_identity(identity, files.identity, training.identity)
    assert make_instruments(training, held_out, config, tmp_path, files, print).identity is not None


def test_the_judge_learns_from_faces_as_training_shows_them_and_who_is_who_in_the_light_there_is(recipe, data):
    faces = load_faces(load_config(recipe), data)

    def taught(train, **changes):
        config = dataclasses.replace(load_config(recipe), **changes)
        return train(faces, config, images=16, batch=8, say=lambda line: None)

    def alike(one, other):
        return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))

    for train, relit in ((train_judge, True), (train_identity, False)):
        usual = taught(train)
        assert alike(usual, taught(train))
        assert not alike(usual, taught(train, mirror=False))
        assert alike(usual, taught(train, light=True)) != relit


def test_people_who_hold_still_may_be_named_by_a_link(recipe, data, tmp_path):
    (tmp_path / "people").symlink_to(data / "faces", target_is_directory=True)
    still = still_faces(load_config(recipe), tmp_path / "people")
    assert len(still) == 36
    assert still.identity[0].startswith("people/")


@pytest.mark.slow
def test_people_are_told_apart_whatever_they_feel_and_by_the_face_alone(instruments, subjects):
    assert subjects.baselines.same_person > subjects.baselines.other_person + 0.2
    face = to_float(subjects.faces.faces[:2])
    around = torch.where(holes_for("whole face", 2, face.shape[-1]) > 0, face, torch.zeros(()))
    torch.testing.assert_close(instruments.identity(face), instruments.identity(around))


def test_who_has_one_picture_only_teaches_no_likeness(recipe, data):
    config = load_config(recipe)
    faces = load_faces(config, data)
    once = faces.emotion == 0
    alone = FaceSet(
        faces.faces[once],
        faces.emotion[once],
        [name for name, kept in zip(faces.identity, once, strict=True) if kept],
        faces.weight[once],
        faces.looks,
        faces.pair[once],
        faces.source[once],
    )
    assert train_identity(alone, config, images=32) is None
    assert baselines(torch.randn(len(alone), 8), alone) is None


@pytest.mark.slow
def test_the_command_writes_a_text_a_json_and_sheets(recipe, data, checkpoint, networks, tmp_path, capsys):
    out = tmp_path / "figures"
    arguments = ["evaluate", str(checkpoint), str(recipe), "--data", str(data), "--out", str(out), "--pairs", "6"]
    arguments += ["--judge", str(networks / "judge.safetensors"), "--identity", str(networks / "identity.safetensors")]
    still = shutil.copytree(data / "faces", tmp_path / "still")
    shutil.copytree(still / "surprised", still / "happy+surprised")
    assert main([*arguments, "--still", str(still)]) == 0
    text = capsys.readouterr().out
    assert "share of the ceiling" in text
    assert "people who hold still" in text
    assert "no FID" in text
    assert text.strip().endswith((out / "evaluation.md").read_text().strip())
    report = json.loads((out / "evaluation.json").read_text())
    assert [row["hole"] for row in report["holes"]] == list(HOLES)
    assert report["judge_accuracy_on_real_pictures"] > 0.7
    assert report["still"]["identities"] == 12
    assert {kind: halfway["completions"] for kind, halfway in report["still"]["halfway"].items()} == {
        "whole face": 20, "lower face": 20, "mouth": 20
    }  # fmt: skip
    assert "half and half" in text
    assert all(row["outside_equal"] and row["diversity"] >= 0 for row in report["holes"])
    for sheet in ("evaluation.jpg", "evaluation-samples.jpg", "evaluation-halfway.jpg"):
        assert (out / sheet).stat().st_size > 10_000
    assert main([*arguments, "--set", "networks.image_size=128"]) == 1
    assert "give the recipe that it was trained with" in capsys.readouterr().err


@pytest.mark.parametrize("network", [Judge(3), IdentityNetwork()])
def test_measuring_networks_take_any_size_and_have_no_batch_statistics(network):
    network.eval()
    for size in (64, 128):
        faces = torch.rand(4, 3, size, size) * 2 - 1
        torch.testing.assert_close(network(faces)[:1], network(faces[:1]), atol=1e-5, rtol=1e-5)


def test_a_source_that_is_held_out_whole_is_compared_with_the_others(recipe, data, tmp_path):
    for name in ("faces", "others"):
        shutil.copytree(data / "faces", tmp_path / name)
    sources = "data=[{path: faces, held_out: 0}, {path: others, held_out: 1}]"
    config = load_config(recipe, [sources])
    training, held_out = load_faces(config, tmp_path), load_faces(config, tmp_path, held_out=True)
    assert sorted(reference_faces(training, held_out).tolist()) == list(range(len(training)))
