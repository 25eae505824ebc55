"""`make`: one command renders, trains stage after stage, measures and writes the card, and goes on wherever it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ecgan_core import inspect_checkpoint, load_checkpoint
from tests.train.conftest import RECIPE
from train.cli import main
from train.config import load_config
from train.data.faces import load_faces
from train.data.sources.row import DataError
from train.evaluation.evaluate import Extras
from train.evaluation.identity import save_identity, train_identity
from train.evaluation.judge import save_judge, train_judge
from train.make import make
from train.portraits.recipe import load_recipe
from train.portraits.studio import render_set
from train.runs.run_folder import newest_clock, states_of
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
MODELS = [f"{name}.safetensors" for name in ("one/one", "two/two", "two/kept", "three/three", "tiny-64")]


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
    recipe_of_stages, data, extras, tmp_path, head
):
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
    bias = {name: load_file(out / name)["encoder.stem.bias"].float() for name in MODELS}
    for kept, trained, start, share in (
        ("two/kept", "two/two", "one/one", 0.5),
        ("tiny-64", "three/three", "two/kept", 0.25),
    ):
        mean = bias[f"{trained}.safetensors"].lerp(bias[f"{start}.safetensors"], share)
        torch.testing.assert_close(bias[f"{kept}.safetensors"], mean, atol=2e-4, rtol=2e-3)
        assert not torch.allclose(bias[f"{trained}.safetensors"], bias[f"{start}.safetensors"], atol=1e-3, rtol=2e-2)
    assert "ecgan-train make tiny-64.yaml" in card
    assert card.endswith("It was made by a test.\n")
    figures = json.loads((out / "evaluation" / "evaluation.json").read_text())
    assert figures["fingerprint"] == load_checkpoint(out / "tiny-64.safetensors").fingerprint

    made = {path: path.stat().st_mtime_ns for stage in plan.stages for path in states_of(out / stage.name)}
    made |= {path: path.stat().st_mtime_ns for path in (out / "evaluation").iterdir()}
    assert again(), "nothing is left to do"
    assert made == {path: path.stat().st_mtime_ns for path in made}

    shutil.rmtree(out / "three")
    before = load_file(out / "tiny-64.safetensors")
    assert again(), "a stage that is lost is trained again, from the model of the one before"
    after = load_file(out / "tiny-64.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_data_that_is_not_there_is_said_before_anything_is_rendered(recipe_of_stages, tmp_path):
    first = tmp_path / "portraits-first.yaml"
    first.write_text(
        recipe_of_stages.read_text().replace("{name: one, data: [{path: faces,", "{name: one, data: [{path: rendered,")
    )
    (tmp_path / "mine.yaml").write_text(EMOTIONS)
    with pytest.raises(DataError, match=r"there is no folder .*faces.*--data"):
        make(load_plan(first), tmp_path / "data", tmp_path / "out", cpu=True)
    assert not (tmp_path / "data").exists()


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
