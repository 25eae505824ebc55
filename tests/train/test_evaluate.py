"""`evaluate` measures what it says: checked with a pipeline whose answers are known."""

import json

import pytest
import torch

from ecgan_core.checkpoint import save_checkpoint
from train.cli import main
from train.config import load_config
from train.data import load_faces, to_float
from train.evaluate import HOLES, measure, pairs_of
from train.fit import build_networks, pipeline_of
from train.judge import Judge, judge_emotions, load_judge, save_judge, train_judge


@pytest.fixture(scope="module")
def judge_file(recipe, data, tmp_path_factory):
    config = load_config(recipe)
    path = tmp_path_factory.mktemp("judge") / "judge.safetensors"
    save_judge(train_judge(load_faces(config, data), config, images=1600), path, config.emotions)
    return path


@pytest.fixture
def checkpoint(recipe, tmp_path):
    config = load_config(recipe)
    save_checkpoint(pipeline_of(build_networks(config), config), tmp_path / "untrained.safetensors")
    return tmp_path / "untrained.safetensors"


class TruthTeller:
    """A pipeline that completes every face with the real picture of the same person's wanted emotion."""

    def __init__(self, faces, config):
        self.faces, self.config, self.real = faces, config, to_float(faces.faces)

    def complete(self, face, hole, emotion, seeds):
        wanted = self.config.emotions.index(emotion)
        people = [self.faces.identity[i] for i in seeds]
        index = [
            next(j for j in range(len(self.faces)) if self.faces.identity[j] == p and self.faces.emotion[j] == wanted)
            for p in people
        ]
        return face * (1 - hole) + self.real[index] * hole

    def decode(self, latent):
        return latent


def test_the_ceiling_is_what_the_truth_itself_scores(recipe, data, judge_file):
    config = load_config(recipe)
    faces = load_faces(config, data, held_out=True)
    judge = load_judge(judge_file, config.emotions)
    result = measure(TruthTeller(faces, config), judge, faces, config, "whole face")
    assert result.accuracy == result.ceiling
    assert result.share_of_ceiling == 1
    assert result.pairs == 3 * len(faces)
    assert result.psnr > 100 or result.psnr == float("inf")


def test_pairs_are_of_the_same_person(recipe, data):
    faces = load_faces(load_config(recipe), data, held_out=True)
    source, truth = pairs_of(faces)
    assert all(faces.identity[i] == faces.identity[j] for i, j in zip(source, truth, strict=True))


def test_the_judge_learns_what_was_drawn(recipe, data, judge_file):
    config = load_config(recipe)
    faces = load_faces(config, data, held_out=True)
    read = judge_emotions(load_judge(judge_file, config.emotions), to_float(faces.faces))
    assert (read == faces.emotion).float().mean() > 0.7
    with pytest.raises(ValueError, match="knows neutral, happy, surprised, not a, b"):
        load_judge(judge_file, ("a", "b"))


def test_the_command_writes_a_table_a_json_and_a_picture(recipe, data, checkpoint, judge_file, tmp_path, capsys):
    out = tmp_path / "figures"
    arguments = ["evaluate", str(checkpoint), str(recipe), "--data", str(data), "--out", str(out)]
    assert main([*arguments, "--judge", str(judge_file)]) == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert [row["hole"] for row in report["holes"]] == list(HOLES)
    assert report["judge_accuracy_on_real_pictures"] > 0.7
    assert "share of the ceiling" in capsys.readouterr().out
    assert (out / "evaluation.jpg").stat().st_size > 10_000
    assert main([*arguments, "--judge", str(judge_file), "--set", "networks.image_size=128"]) == 1
    assert "give the recipe that it was trained with" in capsys.readouterr().err


def test_the_judge_has_no_batch_statistics():
    judge = Judge(3).eval()
    faces = torch.rand(4, 3, 64, 64) * 2 - 1
    torch.testing.assert_close(judge(faces)[:1], judge(faces[:1]), atol=1e-5, rtol=1e-5)
