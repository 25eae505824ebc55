"""`make`: one command renders, trains stage after stage, measures and writes the card, and goes on wherever it was."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ecgan_core import inspect_checkpoint, load_checkpoint
from ecgan_core.files.checkpoint import save_checkpoint
from tests.train.conftest import RECIPE
from train.cli import main
from train.config import ConfigError, load_config
from train.data.faces import load_faces
from train.data.sources.row import DataError
from train.evaluation.evaluate import Extras
from train.evaluation.identity import save_identity, train_identity
from train.evaluation.judge import save_judge, train_judge
from train.fit import fit
from train.learning.networks import build_networks, pipeline_of
from train.make import make
from train.portraits.recipe import load_recipe
from train.portraits.studio import render_set
from train.runs.run_folder import model_path, newest_clock, states_of
from train.runs.state import StateError
from train.stages import load_plan

EMOTIONS = "emotions:\n  neutral: {eyeWide: .2}\n  happy: {mouthSmile: .9}\n  surprised: {jawOpen: .6, eyeWide: .9}\n"
STAGES = """
portraits:
  rendered: {recipe: mine.yaml, count: 2, size: 48}
stages:
  - {name: one, data: [{path: faces, held_out: 0.25}]}
  - {name: two, data: [{path: faces, held_out: 0.25}, {path: rendered, held_out: 0}], images: 16, keep: 0.5}
  - {name: three, data: [{path: faces, held_out: 0.25}], images: 16, keep: 0.25}
evaluation: {data: [{path: faces, held_out: 0.25}]}
notes: It was made by a test.
"""
MODELS = ("one/one", "two/two", "two/kept", "three/three", "tiny-64")


def encoder_in(path: Path) -> torch.Tensor:
    """What a model's encoder learned, in one row: all of it tells two models apart, however few images lie between."""
    weights = load_file(path)
    learned = [key for key in weights if key.startswith("encoder.") and key.endswith((".weight", ".bias"))]
    return torch.cat([weights[key].double().flatten() for key in learned])


@pytest.fixture(scope="module")
def recipe_of_stages(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stages")
    (folder / "mine.yaml").write_text(EMOTIONS)
    (folder / "tiny-64.yaml").write_text(RECIPE + STAGES)
    return folder / "tiny-64.yaml"


@pytest.fixture(scope="module")
def extras(recipe, data, tmp_path_factory) -> Extras:
    """Measuring networks that were taught for a moment."""
    config, folder = load_config(recipe), tmp_path_factory.mktemp("instruments")
    faces = load_faces(config, data)
    save_judge(train_judge(faces, config, images=160), folder / "judge.safetensors", config.emotions)
    save_identity(train_identity(faces, config, images=160), folder / "identity.safetensors")
    return Extras(folder / "judge.safetensors", folder / "identity.safetensors", pairs=2)


@pytest.mark.slow
def test_one_command_makes_a_model_with_its_card_and_goes_on_wherever_it_was(
    recipe_of_stages, data, extras, tmp_path, head, monkeypatch
):
    # Whatever is sent to that GPU in spite of `cpu` fails, where torch has none.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    plan, out = load_plan(recipe_of_stages), tmp_path / "out"

    def again(minutes: float | None = None) -> bool:
        return make(plan, data, out, minutes=minutes, cpu=True, extras=extras, command="ecgan-train make tiny-64.yaml")

    moment = 1e-6
    assert not again(moment), "the time is up before anything has begun"
    assert not (out / "one").exists()
    assert newest_clock(out / "one") == -1

    assert again()
    assert [newest_clock(out / stage.name) for stage in plan.stages] == [32, 16, 16]
    assert len(list((data / "rendered").glob("*/*.jpg"))) == 2 * 3
    card = (out / "tiny-64.md").read_text()
    assert inspect_checkpoint(out / "tiny-64.safetensors").card == card
    assert inspect_checkpoint(out / "tiny-64.safetensors").origin.startswith("kept.safetensors")
    weights = {name: encoder_in(out / f"{name}.safetensors") for name in MODELS}
    stages = (("one/one", 0.5, "two/kept", "two/two"), ("two/kept", 0.25, "tiny-64", "three/three"))
    for start, keep, kept, trained in stages:
        way, gone = weights[trained] - weights[start], weights[kept] - weights[start]
        assert (gone @ way / (way @ way)).item() == pytest.approx(1 - keep, abs=0.02)
    assert "ecgan-train make tiny-64.yaml" in card
    assert card.endswith("It was made by a test.\n")
    figures = json.loads((out / "evaluation" / "evaluation.json").read_text())
    assert figures["fingerprint"] == load_checkpoint(out / "tiny-64.safetensors").fingerprint

    made = {path: path.stat().st_mtime_ns for stage in plan.stages for path in states_of(out / stage.name)}
    made |= {path: path.stat().st_mtime_ns for path in (out / "evaluation").iterdir()}
    assert again(), "nothing is left to do"
    assert made == {path: path.stat().st_mtime_ns for path in made}

    others = dataclasses.replace(extras, pairs=1)
    assert make(plan, data, out, cpu=True, extras=others, command="ecgan-train make tiny-64.yaml")
    assert json.loads((out / "evaluation" / "evaluation.json").read_text())["pairs_per_emotion"] == 1

    shutil.rmtree(out / "three")
    before = load_file(out / "tiny-64.safetensors")
    assert again(), "a stage that is lost is trained again, from the model of the one before"
    after = load_file(out / "tiny-64.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)

    one, two, three = plan.stages
    plan = dataclasses.replace(plan, stages=(one, dataclasses.replace(two, keep=0.4), three))
    with pytest.raises(StateError, match=r"three went on from kept.* another model by now .* trained anew"):
        again()


def test_data_that_is_not_there_is_said_before_anything_is_rendered(recipe_of_stages, tmp_path):
    first = tmp_path / "portraits-first.yaml"
    first.write_text(
        recipe_of_stages.read_text().replace("{name: one, data: [{path: faces,", "{name: one, data: [{path: rendered,")
    )
    (tmp_path / "mine.yaml").write_text(EMOTIONS)
    with pytest.raises(DataError, match=r"there is no folder .*faces.*--data"):
        make(load_plan(first), tmp_path / "data", tmp_path / "out", cpu=True)
    assert not (tmp_path / "data").exists()


@pytest.fixture(scope="module")
def of_a_start(recipe, tmp_path_factory) -> Path:
    """A recipe of three short stages that all start from one model, as `recipes/portraits-256.yaml` says it."""
    folder, config = tmp_path_factory.mktemp("start"), load_config(recipe)
    save_checkpoint(pipeline_of(build_networks(config), config), folder / "start.safetensors")
    short = RECIPE.replace("images: 32", "images: 16").replace("warmup_images: 128", "warmup_images: 8")
    stages = "\nstages: [{name: one}, {name: two}, {name: three}]\n"
    (folder / "tiny.yaml").write_text(f"{short}start_from: {folder / 'start.safetensors'}{stages}")
    return folder / "tiny.yaml"


@pytest.fixture(scope="module")
def stopped(of_a_start, data, tmp_path_factory) -> Path:
    """What `make` leaves of that recipe when the time is up within the second stage."""
    out, (one, two, _) = tmp_path_factory.mktemp("stopped") / "out", load_plan(of_a_start).stages
    assert fit(one.config, data, out / "one", cpu=True)
    from_one = dataclasses.replace(two.config, start_from=str(model_path(out / "one")))
    assert not fit(from_one, data, out / "two", cpu=True, minutes=1e-6)
    assert newest_clock(out / "two") == 8
    return out


def test_a_later_stage_goes_on_where_it_was_though_the_recipe_says_where_the_first_starts(of_a_start, data, stopped):
    def say(line: str) -> None:
        if line.startswith("stage 3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(load_plan(of_a_start), data, stopped, cpu=True, say=say)
    assert newest_clock(stopped / "two") == 16
    assert inspect_checkpoint(stopped / "two" / "two.safetensors").origin.startswith("one.safetensors")


def test_stages_that_were_trained_by_another_recipe_are_not_taken_for_this_ones(of_a_start, data, stopped):
    changed = load_plan(of_a_start, ["learning_rate=0.5", "log_every=1"])
    said = r"one was trained by another recipe: learning_rate was 0\.001 and is now 0\.5;"
    with pytest.raises(StateError, match=said):
        make(changed, data, stopped, cpu=True)


def test_detail_is_grown_onto_a_model_or_refused(recipe, data, tmp_path):
    grown = ["networks.grown=1", "networks.widths=[4,8,16,16]", "detail=32"]
    refused = "detail: it is grown onto a trained model; name one with start_from or --from"
    with pytest.raises(ConfigError, match=refused):
        make(load_plan(recipe, grown), data, tmp_path / "out", cpu=True)
    with pytest.raises(ConfigError, match=refused):
        fit(load_config(recipe, grown), data, tmp_path / "out", cpu=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_rendering_stops_when_the_time_is_up_and_goes_on(recipe_of_stages, tmp_path, head, capsys):
    recipe = load_recipe(recipe_of_stages.parent / "mine.yaml")
    assert not render_set(recipe, tmp_path / "set", 2, 48, stop=lambda: True)
    assert "the time is up with 1 of 2 identities done" in capsys.readouterr().out
    assert not (tmp_path / "set" / "index.csv").exists()
    assert render_set(recipe, tmp_path / "set", 2, 48, stop=lambda: True), "with the last one done, all is done"
    assert len((tmp_path / "set" / "index.csv").read_text().splitlines()) == 1 + 2 * 3


def test_a_recipe_of_several_stages_is_not_taken_for_one_run(recipe_of_stages, data, tmp_path, capsys):
    assert main(["fit", str(recipe_of_stages), "--data", str(data), "--out", str(tmp_path / "run")]) == 1
    assert "has the stages one, two, three; train all of them with `make`" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
