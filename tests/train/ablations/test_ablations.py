"""`ablations`: variants and seeds are trained once, measured alike, and stand side by side."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from ecgan_core.face.holes import region
from ecgan_core.files.checkpoint import load_checkpoint
from tests.train.conftest import RECIPE
from train.ablations.ablate import ablate
from train.ablations.disentanglement import compared, measure_edits, measure_real, neutral_pairs
from train.ablations.editing import along_vector, latent_directions, other_ways, vector_length
from train.ablations.recipe import load_ablations
from train.ablations.table import spread
from train.cli import main
from train.config import ConfigError, load_config
from train.data.faces import load_faces, to_float
from train.evaluation.evaluate import still_faces
from train.evaluation.identity import save_identity, train_identity
from train.evaluation.judge import save_judge, train_judge
from train.evaluation.measure import Instruments
from train.learning.networks import build_networks, pipeline_of

AROUND = """
variants:
  ours: {}
  no perceptual: {weights.perceptual: 0}
seeds: [4]
people: faces
editing: ours
picture: {variants: [ours, no perceptual], faces: [faces/neutral/00.png]}
"""
SHORT = RECIPE.replace("held_out: 0.25", "held_out: 0.25, paired: true").replace("images: 32", "images: 8")


@pytest.fixture(scope="module")
def recipe_of_ablations(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("ablations") / "tiny.yaml"
    path.write_text(SHORT.replace("warmup_images: 128", "warmup_images: 32") + AROUND)
    return path


@pytest.fixture(scope="module")
def instruments(recipe, data, tmp_path_factory) -> list[str]:
    """Measuring networks that were taught for a moment, as options."""
    config, folder = load_config(recipe), tmp_path_factory.mktemp("instruments")
    faces = load_faces(config, data)
    save_judge(train_judge(faces, config, images=64), folder / "judge.safetensors", config.emotions)
    save_identity(train_identity(faces, config, images=64), folder / "identity.safetensors")
    return ["--judge", str(folder / "judge.safetensors"), "--identity", str(folder / "identity.safetensors")]


@pytest.fixture(scope="module")
def people(recipe, data):
    return still_faces(load_config(recipe), data / "faces")


@pytest.fixture(scope="module")
def pipeline(recipe):
    config = load_config(recipe)
    networks = build_networks(config)
    codes = torch.zeros(3, 12)
    for emotion in range(3):
        codes[emotion, emotion::3] = 1
    networks["generator"].emotion_codes.copy_(codes)
    return pipeline_of(networks, config)


@pytest.mark.slow
def test_variants_are_trained_once_and_stand_side_by_side(recipe_of_ablations, data, instruments, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["ablations", str(recipe_of_ablations), "--data", str(data), "--out", str(out), "--cpu", "--pairs", "2"]
    command += instruments
    assert main([*command, "--minutes", "0.00001"]) == 0
    assert "the same command goes on" in capsys.readouterr().out
    assert main(command) == 0
    text = (out / "ablations.md").read_text()
    assert text in capsys.readouterr().out
    for name in ("| ours | 1 |", "| no perceptual | 1 |", "| ours: all of z, from mean to mean |", "| real people |"):
        assert name in text
    assert (out / "ablations.jpg").is_file()
    runs = ("ours-4", "no-perceptual-4")
    models = {run: load_checkpoint(out / run / f"{run}.safetensors").fingerprint for run in runs}
    assert len(set(models.values())) == 2, "each has its own losses"
    for run, fingerprint in models.items():
        assert json.loads((out / "figures" / f"{run}.json").read_text())["fingerprint"] == fingerprint

    before = {file: file.stat().st_mtime_ns for file in out.rglob("*.safetensors")}
    (out / "figures" / "ours-4.json").write_text("{")  # what a power cut might leave
    assert main(command) == 0
    said = capsys.readouterr().out
    assert {file: file.stat().st_mtime_ns for file in out.rglob("*.safetensors")} == before, "nothing is trained again"
    assert "measuring ours-4" in said
    assert "measuring no-perceptual-4" not in said
    assert (out / "ablations.md").read_text() == text

    assert main([*command, "--set", "learning_rate=0.1"]) == 1
    assert "ours-4 was trained by another recipe: learning_rate was 0.001 and is now 0.1" in capsys.readouterr().err


def test_a_run_that_was_stopped_goes_on(recipe_of_ablations, data, tmp_path, monkeypatch):
    """The time is up within the first variant: what it had learnt is not learnt again."""
    asked = []

    def fit(config, sources, run, resume, cpu, minutes):
        asked.append((run.name, config.seed, config.weights.perceptual, resume))
        return False

    monkeypatch.setattr("train.ablations.ablate.fit", fit)
    assert not ablate(load_ablations(recipe_of_ablations), data, tmp_path, cpu=True, say=lambda line: None)
    assert asked == [("ours-4", 4, 4.0, "auto")]


def test_some_of_the_variants_can_be_asked_for(recipe_of_ablations):
    plan = load_ablations(recipe_of_ablations, only=["no perceptual"])
    assert [variant.name for variant in plan.variants] == ["no perceptual"]
    assert plan.editing == ""
    assert plan.pictured == ("no perceptual",)
    with pytest.raises(ConfigError, match="--variants: 'theirs' is none of the variants ours, no perceptual"):
        load_ablations(recipe_of_ablations, only=["theirs"])


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("weights.perceptual: 0", "weights.perceptuall: 0", "no perceptual: weights.perceptuall: no such key; did you"),
        ("weights.perceptual: 0", "networks.image_size: 32", "all must have the same emotions and image_size"),
        ("ours: {}", "ours: 3", "variants.ours: expected keys with values, but found 3"),
        ("ours: {}", "no-perceptual: {}", "two would have one folder"),
        ("ours: {}", "../ours: {}", "a variant needs a name of letters and digits"),
        ("[4]", "[4, 4]", "seeds: must be different whole numbers from 0 on"),
        ("editing: ours", "editing: theirs", "editing: 'theirs' is none of the variants ours, no perceptual"),
        ("people: faces", "", "people: expected a name, but found None"),
        ("{variants: [ours,", "{variant: [ours,", "picture.variant: no such key"),
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused_in_a_sentence(
    before, after, sentence, recipe_of_ablations, data, tmp_path, capsys
):
    broken = tmp_path / "broken.yaml"
    broken.write_text(recipe_of_ablations.read_text().replace(before, after))
    assert main(["ablations", str(broken), "--data", str(data), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_bundled_recipe_of_ablations_has_the_papers_way_as_its_own_recipe_has_it():
    plan = load_ablations(Path("recipes/ablations.yaml"))
    paper, printed = plan.variant("paper").config, load_config("recipes/paper.yaml")
    ours = plan.base
    for key in (
        "emotion_loss",
        "code",
        "resample",
        "mi_enough",
        "second_opinion",
        "prior_hole_weight",
        "perceptual_loss",
    ):
        assert getattr(paper, key) == getattr(printed, key)
        assert getattr(ours, key) != getattr(paper, key)
    assert paper.weights == printed.weights
    assert dataclasses.replace(paper.networks, shared_trunk=False, noise_rank=128) == ours.networks
    assert {variant.config.images for variant in plan.variants} == {ours.images}


def test_change_is_told_apart_by_where_it_is(people):
    """Spill is 0 where the mouth alone changes, and the ratio where the rest of the hole changes by a tenth of it."""
    instruments = Instruments(lambda face: torch.eye(3)[torch.ones(len(face)).long()], torch.empty(0))
    hole = region("whole face", 2, 64, torch.Generator(), jitter=0).expand(2, -1, -1, -1)
    expressive = torch.maximum(*(region(name, 1, 64, torch.Generator(), jitter=0) for name in ("eyes", "mouth")))
    before = torch.zeros(2, 3, 64, 64)
    right, inside, outside, distance = compared(instruments, before, before + 0.4 * expressive, hole, 1)
    assert right.tolist() == [1, 1]
    assert distance is None
    torch.testing.assert_close(inside, torch.full((2,), 0.4 * 127.5))
    assert outside.tolist() == [0, 0]
    _, inside, outside, _ = compared(instruments, before, before + 0.4 * expressive + 0.04 * (1 - expressive), hole, 2)
    torch.testing.assert_close(outside / inside, torch.full((2,), 0.1))


def test_real_people_are_their_own_truth(people):
    """The judge that knows the pictures sees, of pasted whole faces, the emotion of the picture pasted in."""
    source, truth = neutral_pairs(people, 0)
    assert len(source) == 24
    assert set(people.emotion[source].tolist()) == {0}
    assert set(people.emotion[truth].tolist()) == {1, 2}
    assert [people.identity[i] for i in source.tolist()] == [people.identity[j] for j in truth.tolist()]
    real = to_float(people.faces)
    hole = region("whole face", 1, 64, torch.Generator(), jitter=0)

    def judge(faces):
        nearest = [((real - face) * hole).square().sum(dim=(1, 2, 3)).argmin() for face in faces]
        return torch.eye(3)[people.emotion[torch.stack(nearest)]]

    assert measure_real(Instruments(judge, torch.empty(0)), people, 0, "whole face").recognised == 1


def test_the_ways_of_editing_go_where_they_say(pipeline, people):
    face = to_float(people.faces[:2])
    hole = region("whole face", 2, 64, torch.Generator(), jitter=0).expand(2, -1, -1, -1)
    latent = pipeline.complete(face, hole, emotion="neutral", seeds=[0, 1])
    moved = along_vector(pipeline)(latent, "happy", 1.0)
    torch.testing.assert_close(moved.code, pipeline.complete(face, hole, emotion="happy", seeds=[0, 1]).code)
    assert torch.equal(moved.z, latent.z)
    assert vector_length(pipeline) == pytest.approx(1)

    without_origin, mean_to_mean, as_far = other_ways(pipeline, people).values()
    both = without_origin(latent, "happy", 1.0).code
    torch.testing.assert_close(both, moved.code + latent.code)
    directions = latent_directions(pipeline, people)
    assert directions.shape == (3, *pipeline.encoder.latent_shape)
    assert not directions[0].any()
    for edit in (mean_to_mean, as_far):
        elsewhere = edit(latent, "happy", 1.0)
        assert torch.equal(elsewhere.code, latent.code)
        torch.testing.assert_close(edit(latent, "happy", -0.5).z - latent.z, -0.5 * (elsewhere.z - latent.z))
    torch.testing.assert_close(mean_to_mean(latent, "happy", 1.0).z - latent.z, directions[1].expand(2, -1, -1, -1))
    step = (as_far(latent, "happy", 1.0).z - latent.z).flatten(1).norm(dim=1)
    change_of_code = (moved.code - latent.code)[:, :, None, None].expand_as(latent.z).flatten(1).norm(dim=1)
    torch.testing.assert_close(step, change_of_code)


def test_who_does_not_move_has_changed_nothing(pipeline, people):
    instruments = Instruments(lambda face: torch.eye(3)[torch.ones(len(face)).long()], torch.empty(0))
    still = measure_edits(pipeline, instruments, people, "lower face", lambda latent, *_: latent, 0.5)
    assert (still.inside, still.outside, still.spill, still.edits) == (0, 0, 0, 24)
    assert still.recognised == 0.5, "of happy and surprised, all are read as happy"


def test_a_spread_is_told_of_several():
    assert spread([1.0, 2.0, 3.0], "{:.1f}".format) == "2.0 ± 1.0"
    assert spread([1.0, None], "{:.1f}".format) == "1.0"
    assert spread([None], "{:.1f}".format) == ""
