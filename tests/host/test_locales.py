"""The nodes' texts in other languages: complete, of the present English, and served by ComfyUI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import locales
from tools.comfyui.server import Server


@pytest.fixture(scope="module")
def source(server: Server, pack_name: str) -> locales.Texts:
    """The English texts, as the running nodes have them."""
    return locales.english(server.client.get_json("/object_info"), pack_name)


def test_every_node_has_a_name_a_description_and_tooltips(source: locales.Texts) -> None:
    assert len(source) >= 10
    for node_id, texts in source.items():
        assert texts["display_name"] != node_id
        assert texts["description"].endswith("."), node_id
        for slot in [*texts["inputs"].values(), *texts["outputs"].values()]:
            assert slot["tooltip"].endswith("."), f"{node_id}: {slot}"


def test_the_english_file_is_what_the_nodes_say(source: locales.Texts) -> None:
    assert locales.read("en") == source, "run `python -m tools.locales`"


@pytest.mark.parametrize("language", locales.LANGUAGES)
def test_the_other_languages_say_all_of_it(source: locales.Texts, language: str) -> None:
    assert locales.problems(source, language) == []


@pytest.mark.parametrize("language", ["en", *locales.LANGUAGES])
def test_no_text_is_taken_for_a_formula(language: str) -> None:
    """The page's translation library gives these a meaning: places to be filled, links, plural forms."""
    texts = locales.flat(locales.read(language))
    assert {path: text for path, text in texts.items() if set(text) & set("{}@|")} == {}


def test_comfyui_serves_them(server: Server, source: locales.Texts) -> None:
    served = server.client.get_json("/i18n")
    for language in ("en", *locales.LANGUAGES):
        given = served[language]["nodeDefs"]
        assert {node_id: given[node_id] for node_id in source} == locales.read(language)


# The comparison itself ---

THEN = {"Node": {"display_name": "A", "description": "Does A.", "inputs": {"x": {"name": "x", "tooltip": "An x."}}}}


@pytest.fixture
def translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which German says all of THEN."""
    monkeypatch.setattr(locales, "LOCALES", tmp_path)
    monkeypatch.setattr(locales, "REMEMBERED", tmp_path / "translated.json")
    inputs = {"x": {"name": "x", "tooltip": "Ein x."}}
    locales.write("de", {"Node": {"display_name": "A", "description": "Tut A.", "inputs": inputs}})
    locales.remember(THEN, "de")
    assert locales.problems(THEN, "de") == []
    return tmp_path


def changed(path: str, text: str | None) -> locales.Texts:
    """THEN with another text at a path, or with none there."""
    *folders, last = path.split(".")
    texts = json.loads(json.dumps(THEN))
    place = texts
    for folder in folders:
        place = place.setdefault(folder, {})
    if text is None:
        del place[last]
    else:
        place[last] = text
    return texts


def test_a_missing_a_stale_and_an_outdated_text_are_found(translated: Path) -> None:
    new = locales.problems(changed("Node.inputs.y.name", "y"), "de")
    assert [line.split(": ")[1] for line in new] == ["Node.inputs.y.name is missing"]
    gone = locales.problems(changed("Node.inputs.x.tooltip", None), "de")
    assert gone == ["de: Node.inputs.x.tooltip is of no node"]
    (old,) = locales.problems(changed("Node.description", "Does B."), "de")
    assert "Node.description translates an earlier English; it is now: Does B." in old


def test_an_empty_translation_is_a_missing_one(translated: Path) -> None:
    locales.write("de", changed("Node.description", " "))
    assert "de: Node.description is missing" in locales.problems(THEN, "de")
