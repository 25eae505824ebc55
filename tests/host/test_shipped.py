"""The pack as the registry ships it, alone in a ComfyUI: nothing that it needs was left out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.test_registry import ROOT, shipped
from tools.comfyui import example
from tools.comfyui.server import Server, prepare_base

NAME = "ecgan-from-the-registry"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("registry")
    for path in shipped():
        place = folder / "pack" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, place)
    prepare_base(folder / "base", pack=folder / "pack", pack_name=NAME)
    example.prepare_inputs(folder / "base" / "input")
    with Server(folder / "base") as server:
        yield server


def test_its_nodes_texts_and_scripts_are_served(installed: Server) -> None:
    definitions = installed.client.get_json("/object_info")
    ours = [key for key, node in definitions.items() if node["python_module"] == f"custom_nodes.{NAME}"]
    assert len(ours) >= 10
    texts = installed.client.get_json("/i18n")
    assert all(set(ours) <= set(texts[language]["nodeDefs"]) for language in ("en", "zh", "ja", "es"))
    scripts = sorted(file.name for file in Path(ROOT / "comfy_ecgan" / "web" / "js").glob("*.js"))
    served = installed.client.get_json("/extensions")
    assert [path.rpartition("/")[2] for path in sorted(served) if NAME in path] == scripts
    assert example.NAME in installed.client.get_json("/api/workflow_templates")[NAME]


def test_its_example_runs(installed: Server) -> None:
    assert installed.client.run(example.load_prompt()).outputs
