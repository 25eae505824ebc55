"""Recipes, of training and of portraits, with values that nobody means."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import yaml
from hypothesis import example
from hypothesis import strategies as st

from tests.fuzz.answers import answer
from tests.fuzz.examples import fuzz
from train.config import LaterWeights, Networks, Source, TrainConfig, from_dict, load_config
from train.portraits.recipe import UNITS, Recipe, load_recipe

names = st.sampled_from(("neutral", "happy", "", "none", "mouth", "kl", "no such"))
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=8),
        names,
        st.sampled_from(("1e3", ".nan", "é" * 3000, "\ud800", "a\nb", "\0", 10**400, 1e300, -1, 0)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(names, st.integers()), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = [field.name for field in dataclasses.fields(TrainConfig)]
NESTED = {
    "data": [f.name for f in dataclasses.fields(Source)],
    "networks": [f.name for f in dataclasses.fields(Networks)],
    "later": [f.name for f in dataclasses.fields(LaterWeights)],
}


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """The default config, in which up to three values are others, at any depth."""
    tree = TrainConfig(data=(Source("faces"),), later=(LaterWeights(10, {"kl": 1.0}),)).to_dict()
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)):
        if key in NESTED and draw(st.booleans()):
            branch = tree[key] if isinstance(tree[key], dict) else tree[key][0]
            branch[draw(st.sampled_from(NESTED[key]))] = draw(values)
        else:
            tree[key] = draw(values)
    return tree


@fuzz(300, tree=st.one_of(trees(), values))
@example(tree={"emotions": [["a"], "b"]})
@example(tree={"learning_rate": float("nan")})
@example(tree={"data": [{"path": "a", "weight": float("inf")}]})
@example(tree={"networks": {"image_size": 10**9}})
@example(tree={"holes": {"mouth": -1}})
@example(tree={10: 1})
def test_a_config_is_whole_or_refused(tree):
    config = answer(lambda: from_dict(tree))
    if config is not None:
        assert from_dict(config.to_dict()) == config
        assert config.learning_rate > 0
        assert all(width >= 1 for width in config.networks.widths)
        assert config.weights_at(10**9)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("recipes") / "mine.yaml"


written = st.one_of(trees(), values).map(lambda tree: yaml.dump(tree).encode("utf-8", "replace"))
odd_files = st.one_of(
    written,
    st.binary(max_size=40),
    st.text(alphabet="{}[]:-,&*!|> \nab1'\"", max_size=30).map(str.encode),
    st.sampled_from((b"\xff", b"a: &a [*a]", b"? [1]\n: 2", b"!!python/object:os.system {}", b"2001-99-99")),
)
TOO_DEEP = b"[" * 3000  # it takes PyYAML a second, so that it is tried once and not drawn
overrides = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.tuples(st.sampled_from((*KEYS, "networks.widths", "data.path", "a.b", "")), names).map("=".join),
    ),
    max_size=2,
)


@fuzz(150, content=odd_files, overrides=overrides)
@example(content=b"", overrides=["networks=1", "networks.widths=[1]"])
@example(content=b"", overrides=["images={"])
@example(content=TOO_DEEP, overrides=[])
def test_a_recipe_file_is_read_or_refused(file, content, overrides):
    file.write_bytes(content)
    answer(lambda: load_config(file, overrides))


RECIPE_KEYS = [field.name for field in dataclasses.fields(Recipe)]
emotion_trees = st.dictionaries(
    st.one_of(names, st.text(max_size=6)), st.dictionaries(st.sampled_from(UNITS), values, max_size=2), max_size=3
)


@fuzz(
    150,
    content=st.one_of(
        odd_files,
        st.builds(
            lambda emotions, more: yaml.dump({"emotions": {"neutral": {}, **emotions}, **more}).encode(
                "utf-8", "replace"
            ),
            emotion_trees,
            st.dictionaries(st.sampled_from(RECIPE_KEYS[:1] + RECIPE_KEYS[2:]), values, max_size=2),
        ),
    ),
)
@example(content=TOO_DEEP)
def test_a_portrait_recipe_is_read_or_refused(file, content):
    file.write_bytes(content)
    answer(lambda: load_recipe(file))
