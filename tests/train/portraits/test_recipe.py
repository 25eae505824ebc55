"""Recipes of emotions: what they mean, and the one sentence for what cannot be meant."""

import dataclasses
from pathlib import Path

import pytest

from train.cli import main
from train.portraits.recipe import PAIRS, UNITS, Recipe, RecipeError, differences, load_recipe, recipe_from, recipe_text

RECIPES = sorted(Path("recipes/emotions").glob("*.yaml"))
MINIMAL = "emotions:\n  neutral: {}\n"


@pytest.fixture
def read(tmp_path):
    """The recipe that a text in a file says."""

    def read(text):
        path = tmp_path / "mine.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_recipe(path)

    return read


def test_our_recipes_are_valid_and_survive_being_written():
    assert [path.stem for path in RECIPES] == ["artist", "basic7"]
    for path in RECIPES:
        recipe = load_recipe(path)
        assert recipe_from(recipe.to_dict()) == recipe
        assert all(weights or name == recipe.neutral for name, weights in recipe.emotions.items())
    assert list(load_recipe("recipes/emotions/basic7.yaml").emotions) == [
        "neutral", "happy", "sad", "angry", "surprised", "disgusted", "fearful"
    ]  # fmt: skip


def test_what_is_written_out_is_read_back(read):
    text = "neutral: 平静\nemotions: {平静: {eyeWide: .1}, खुशी: {mouthSmile: 1}, très content: {jawLeft: .3}}\nseed: 3"
    recipe = read(text + "\nintensity: [.5, 1]\nphoto: 0\nglasses: 1\nbeards: .9\nturn: 22\nstill: true")
    assert read(recipe_text(recipe)) == recipe
    assert (recipe.neutral, recipe.seed, recipe.intensity) == ("平静", 3, (0.5, 1.0))
    assert list(recipe.emotions) == ["平静", "खुशी", "très content"]
    assert recipe.emotions["très content"] == {"jawLeft": 0.3}


def test_mixtures_are_half_of_both_and_leave_the_emotions_alone(read):
    text = "emotions: {neutral: {eyeWide: .2}, happy: {mouthSmile: .9}, wink: {eyeBlinkLeft: 1}}"
    recipe = read(f"{text}\nmixtures: true")
    assert list(recipe.looks) == ["neutral", "happy", "wink", "neutral+happy", "neutral+wink", "happy+wink"]
    assert recipe.looks["happy+wink"] == {"eyeBlinkLeft": 0.5, "mouthSmileLeft": 0.45, "mouthSmileRight": 0.45}
    assert read(text).looks == read(text).emotions == recipe.emotions
    assert read(recipe_text(recipe)) == recipe
    assert differences(read(text), recipe) == ["mixtures"]


def test_there_are_52_units_and_jaw_and_mouth_are_no_pairs():
    assert len(UNITS) == len(set(UNITS)) == 52
    assert list(UNITS) == sorted(UNITS)
    assert "mouthSmile" in PAIRS
    assert not {"jaw", "mouth"} & set(PAIRS)
    assert all({f"{unit}Left", f"{unit}Right"} <= set(UNITS) for unit in PAIRS)


def test_a_unit_without_its_side_is_both_and_the_sided_one_wins_in_any_order(read):
    for weights in ("mouthSmile: .2, mouthSmileLeft: .9", "mouthSmileLeft: .9, mouthSmile: .2"):
        smirk = read(f"emotions: {{neutral: {{}}, smirk: {{{weights}, jawOpen: 0}}}}").emotions["smirk"]
        assert smirk == {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.2}
    wink = read("emotions: {neutral: {}, wink: {eyeBlink: 1, eyeBlinkLeft: 0}}").emotions["wink"]
    assert wink == {"eyeBlinkRight": 1.0}


def test_defaults_are_the_dataclasss(read):
    assert read(MINIMAL) == Recipe("neutral", {"neutral": {}})
    assert read("neutral: calm\nemotions: {calm: {}}\n").neutral == "calm"
    assert read(b"\xef\xbb\xbf" + MINIMAL.encode()) == read(MINIMAL), "Windows puts a mark before the text"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected keys with values, such as `emotions:`, but found nothing"),
        ("[1]", r"expected keys with values.* found \[1\]"),
        ("neutral: neutral", "`emotions:` is missing"),
        (MINIMAL + "phto: 1", "there is no key 'phto'; did you mean 'photo'"),
        (MINIMAL + "people: 1", "there is no key 'people'; known are neutral, emotions, seed"),
        (MINIMAL + "  happy: {mouthSmil: .9}", "emotions.happy: there is no face unit 'mouthSmil'; .* 'mouthSmile'"),
        (MINIMAL + "  happy: {tongueout: .9}", "did you mean 'tongueOut'"),
        (MINIMAL + "  happy: {wings: .9}", "there is no face unit 'wings'; known are browDown, "),
        (MINIMAL + "  happy: {mouthSmile: 1.6}", "emotions.happy.mouthSmile: must be from 0 to 1.5, but is 1.6"),
        (MINIMAL + "  happy: {mouthSmile: -.1}", "mouthSmile: must be from 0 to 1.5, but is -0.1"),
        (MINIMAL + "  happy: {mouthSmile: lots}", "mouthSmile: expected a number, but found 'lots'"),
        (MINIMAL + "  happy: {mouthSmile: .nan}", "mouthSmile: expected a number, but found nan"),
        (MINIMAL + "  happy: {mouthSmile: yes}", "mouthSmile: expected a number, but found True"),
        (MINIMAL + "  happy:", "emotions.happy: expected keys with values.* but found nothing"),
        (MINIMAL + "  no: {}", "does not read the name False as text; put it in quotes"),
        (MINIMAL + "  7: {}", "does not read the name 7 as text"),
        (MINIMAL + "  a/b: {}", "'a/b' cannot be the name of a folder"),
        (MINIMAL + "  ..: {}", "cannot be the name of a folder"),
        (MINIMAL + "  -x: {}", "cannot be the name of a folder"),
        (MINIMAL + "  'x ': {}", "cannot be the name of a folder"),
        (MINIMAL + f"  {'x' * 41}: {{}}", "cannot be the name of a folder"),
        (MINIMAL + "  Con: {}", "'Con' is a name that Windows keeps for itself"),
        (MINIMAL + "  Neutral: {}", "'neutral' and 'Neutral' would share a folder"),
        ("emotions: {netural: {}}", "no emotion 'neutral', .* set `neutral: netural` if that is the one"),
        ("emotions: {glad: {}}", "add it under `emotions:`, or set `neutral:` to the one"),
        ("emotions: {}", "there is no emotion 'neutral'"),
        (MINIMAL + "photo: 1.5", "photo: must be from 0 to 1, but is 1.5"),
        (MINIMAL + "turn: 30", "turn: must be from 0 to 25, but is 30"),
        (MINIMAL + "intensity: 1", r"intensity: expected two numbers, such as \[0.8, 1.08\]"),
        (MINIMAL + "intensity: [1, .5]", "intensity: the first number is the smaller one"),
        (MINIMAL + "still: 1", "still: expected true or false, but found 1"),
        (MINIMAL + "seed: -1", "seed: expected a whole number from 0 on, but found -1"),
        (MINIMAL + "seed: 1.5", "seed: expected a whole number"),
    ],
)
def test_what_cannot_be_meant_is_named(read, text, words):
    with pytest.raises(RecipeError, match=words) as refused:
        read(text)
    assert "mine.yaml" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("emotions:\n  neutral: {}\n  neutral: {}", "line 3, column 3: the key 'neutral' is there twice"),
        ("emotions: {neutral: {eyeWide: 1,\n eyeWide: 2}}", "line 2, column 2: the key 'eyeWide' is there twice"),
        ("emotions: {neutral: {}", "line 1, column 23: expected ',' or '}'"),
        ("emotions:\n\tneutral: {}", "line 2, column 1: found character"),
        ("seed: !!python/name:os.system x", "line 1, column 7: could not determine a constructor"),
        ("seed: 2001-99-99", "month must be in 1..12"),
        (b"emotions: \xff", "no text in UTF-8"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_line(read, text, words):
    with pytest.raises(RecipeError, match=words) as refused:
        read(text)
    assert "mine.yaml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_yaml_may_share_what_emotions_have_in_common(read):
    recipe = read("emotions: {neutral: {}, cross: &cross {browDown: 1}, furious: {<<: *cross, jawOpen: .5}}")
    assert recipe.emotions["furious"] == {"browDownLeft": 1, "browDownRight": 1, "jawOpen": 0.5}


def test_what_is_shared_may_be_changed_by_each_who_shares_it(read):
    """`cross` has taken the place of a key of `base` when `furious` asks for it: no key is written twice."""
    recipe = read(
        "emotions:\n  neutral: &base {jawOpen: .1, eyeWide: .2}\n"
        "  furious: {<<: [&cross {<<: *base, jawOpen: .3}], browDown: 1}\n  cross: *cross\n"
    )
    assert recipe.emotions["furious"]["jawOpen"] == recipe.emotions["cross"]["jawOpen"] == 0.3


def test_differences_are_named_by_their_keys(read):
    before = read(MINIMAL + "  happy: {mouthSmile: 1}\n  sad: {mouthFrown: 1}\n")
    now = read(
        "emotions: {glad: {mouthSmile: 1}, happy: {mouthSmile: .9}, sad: {mouthFrown: 1}, neutral: {}}\nphoto: 0"
    )
    assert differences(before, before) == []
    assert differences(before, now) == ["photo", "emotions.happy", "emotions.glad"]
    reordered = dataclasses.replace(before, emotions=dict(reversed(before.emotions.items())))
    assert differences(before, reordered) == []


def test_a_missing_recipe_is_one_sentence_and_exit_1(capsys):
    assert main(["preview", "nowhere.yaml"]) == 1
    assert capsys.readouterr().err == (
        "preview: cannot read the recipe nowhere.yaml: No such file or directory; check the name and the folder\n"
    )
