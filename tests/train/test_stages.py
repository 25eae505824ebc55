"""Recipes with stages: what they say, and the sentence where they say what cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.card import card_text
from train.config import ConfigError, differences, load_config
from train.stages import load_plan, load_stage

EMOTIONS = "emotions:\n  neutral: {eyeWide: .2}\n  happy: {mouthSmile: .9}\n"
RECIPE = """
emotions: [neutral, happy]
neutral: neutral
images: 800
weights: {diversity: 1.0}
portraits:
  people: {recipe: mine.yaml, count: 9, seed: 5}
  others: {recipe: mine.yaml, count: 2, size: 96, still: true, intensity: [1, 1]}
stages:
  - {name: first, data: [{path: people}], weights: {adversarial: 0.2}}
  - {name: second, data: [{path: people}, {path: photographs, weight: 2}], images: 400, keep: 0.25}
evaluation: {data: [{path: people, held_out: 0.125}], still: others}
notes: It knows no hats.
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "mine.yaml").write_text(EMOTIONS)
    (tmp_path / "mine-64.yaml").write_text(RECIPE)
    return tmp_path


def test_a_stages_own_keys_take_the_place_of_the_recipes(folder):
    plan = load_plan(folder / "mine-64.yaml")
    first, second = (stage.config for stage in plan.stages)
    assert plan.name == "mine-64"
    assert [stage.name for stage in plan.stages] == ["first", "second"]
    assert (first.images, second.images) == (800, 400)
    assert [stage.keep for stage in plan.stages] == [0.0, 0.25]
    assert (first.weights.adversarial, first.weights.diversity) == (0.2, 0.0), "a key is replaced as a whole"
    assert second.weights.diversity == 1.0
    assert plan.evaluation.data[0].held_out == 0.125
    assert differences(plan.evaluation, second).keys() == {"data"}


def test_every_stages_model_is_measured_on_those_whom_the_recipe_names_for_it(folder):
    """Else `evaluate --stage` would print figures of other people than the card, under the same headings."""
    plan = load_plan(folder / "mine-64.yaml")
    first = plan.measured_on("first")
    assert first.data == plan.evaluation.data
    assert differences(first, plan.stage("first").config).keys() == {"data[0].held_out"}, "and nothing else"
    assert plan.measured_on() == plan.measured_on("second") == plan.evaluation
    (folder / "plain.yaml").write_text(
        "stages:\n  - {name: a, data: [{path: people}]}\n  - {name: b, data: [{path: others}]}\n"
    )
    assert load_plan(folder / "plain.yaml").measured_on("a").data[0].path == "people"
    with pytest.raises(ConfigError, match="has no stage 'third'"):
        plan.measured_on("third")


def test_sets_are_the_portraits_recipe_with_what_they_change(folder):
    people, others = load_plan(folder / "mine-64.yaml").portraits.values()
    assert (people.recipe.seed, people.count, people.size, people.recipe.still) == (5, 9, 64, False)
    assert (others.recipe.seed, others.count, others.size, others.recipe.still) == (0, 2, 96, True)
    assert others.recipe.intensity == (1.0, 1.0)
    assert list(others.recipe.emotions) == ["neutral", "happy"]


def test_overrides_are_for_all_stages(folder):
    plan = load_plan(folder / "mine-64.yaml", ["images=16", "networks.image_size=128"])
    assert {(stage.config.images, stage.config.networks.image_size) for stage in plan.stages} == {(16, 128)}
    assert plan.portraits["people"].size == 128


def test_a_recipe_without_stages_is_one_of_a_single_stage(folder):
    (folder / "plain.yaml").write_text("images: 320\ndata: [{path: people}]\n")
    plan = load_plan(folder / "plain.yaml")
    assert [stage.name for stage in plan.stages] == ["plain"]
    assert plan.stages[0].config == load_config(folder / "plain.yaml") == load_stage(folder / "plain.yaml")


def test_a_recipe_without_stages_may_have_any_name(folder):
    for file, name in {
        "my faces": "my-faces",
        "mine.v2": "mine-v2",
        "café ☕": "café",
        "…": "run",
        "_plain-": "_plain-",
    }.items():
        (folder / f"{file}.yaml").write_text("images: 320\ndata: [{path: people}]\n")
        plan = load_plan(folder / f"{file}.yaml")
        assert (plan.name, plan.stages[0].name) == (file, name)


def test_who_is_held_out_of_all_stages_may_be_measured(folder):
    """Also those of a set whose other people, or whose rows of another use, are trained on."""
    (folder / "mine-64.yaml").write_text(
        RECIPE.replace("{path: photographs, weight: 2}", "{path: others, held_out: 1}, {path: other, weight: 0}")
        .replace("held_out: 0.125}", "held_out: 0.15}, {path: other, held_out: 1}")
        .replace("{path: people}]", "{path: people}, {path: people, use: test, held_out: 0}]")
    )
    assert load_plan(folder / "mine-64.yaml").still == "others"


def test_a_stage_is_chosen_by_name_where_there_are_several(folder):
    assert load_stage(folder / "mine-64.yaml", name="second").images == 400
    with pytest.raises(ConfigError, match="has the stages first, second; train all of them with `make`, or name one"):
        load_stage(folder / "mine-64.yaml")
    with pytest.raises(ConfigError, match="mine-64 has no stage 'third'; it has first, second"):
        load_stage(folder / "mine-64.yaml", name="third")


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("name: second", "name: first", "stages: two have one name: first, first"),
        ("name: second", "name: evaluation", "stages: none can be called evaluation, since `make` keeps its figures"),
        ("name: second", "name: a/b", "stages: a stage needs a name of letters and digits"),
        ("images: 400", "imges: 400", "second: imges: no such key; did you mean 'images'"),
        ("keep: 0.25", "keep: 25", "second.keep: must be a share from 0 to 1, but is 25"),
        ("weights: {adversarial: 0.2}}", "keep: 0.5}", "first.keep: it goes on from no model; give start_from"),
        (
            "images: 400, keep",
            "networks: {deeper: 1}, keep",
            "second.keep: of a model with other networks no share can",
        ),
        ("count: 9", "count: 0", "portraits.people.count: must be a whole number from 1 on, but is 0"),
        ("count: 9", "count: 9, hats: 1", "portraits.people: there is no key 'hats'"),
        ("recipe: mine.yaml, count: 9", "recipe: gone.yaml, count: 9", "portraits.people: cannot read the recipe"),
        ("still: others", "still: nobody", "evaluation.still: 'nobody' is none of the sets under portraits"),
        ("still: others", "still: people", "evaluation.still: first is trained on 'people'; name a set that no stage"),
        (
            "held_out: 0.125",
            "held_out: 0.5",
            "evaluation.data: 0.5 of 'people' would be measured as held out, but first holds out 0.15 and is",
        ),
        ("still: others", "stil: others", "evaluation.stil: no such key"),
        ("held_out: 0.125", "held_out: 5", "evaluation: data: held_out of 'people' is a share"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_place(folder, before, now, said):
    assert RECIPE.count(before) == 1
    (folder / "mine-64.yaml").write_text(RECIPE.replace(before, now))
    with pytest.raises(ConfigError) as problem:
        load_plan(folder / "mine-64.yaml")
    assert str(problem.value).startswith(said)
    assert len(str(problem.value).splitlines()) == 1


def test_the_card_tells_what_the_model_was_made_from(folder):
    card = card_text(load_plan(folder / "mine-64.yaml"), "python -m train make mine-64.yaml", "| hole | PSNR |")
    for said in (
        "# mine-64\n",
        "64 × 64 pixels, with the emotions neutral and happy",
        "| first | 800 | people 1 |\n| second | 400 | people 1, photographs 2; "
        "25% of its weights are those of the stage before |",
        "| people | 9 × 2, from seed 5 | as usual |\n| others | 2 × 2, from seed 0 | intensity (1.0, 1.0), still |",
        "\n    python -m train make mine-64.yaml\n",
        "## Figures\n\n| hole | PSNR |\n\nIt knows no hats.\n",
    ):
        assert said in card


def test_the_default_models_recipe_is_whole():
    plan = load_plan(Path("recipes/portraits.yaml"))
    assert [stage.name for stage in plan.stages][:5] == ["first", "second", "third", "fourth", "fifth"]
    rendered = {source.path for stage in plan.stages for source in stage.config.data} & set(plan.portraits)
    assert rendered | {plan.still} == set(plan.portraits), "every set that is rendered is used"
    assert sum(stage.config.images for stage in plan.stages[:5]) == 228_000, "as the card of the bundled model says"
