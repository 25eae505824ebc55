"""The nodes' texts in other languages: `locales/LANGUAGE/nodeDefs.json`, which ComfyUI's page reads.

    python -m tools.locales             write the English ones anew from the nodes, and say what the others lack
    python -m tools.locales --done zh   the same, after all of zh was looked through: it translates the English of now

English is generated, so it is never edited; the nodes are. `locales/translated.json` remembers, as a digest, the
English that each text was translated from: where a tooltip has changed since, its translations are out of date.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.comfyui.server import Server, prepare_base
from tools.host import ROOT, HostError

LOCALES = ROOT / "locales"
REMEMBERED = LOCALES / "translated.json"
ENGLISH = "en"
LANGUAGES = ("zh", "ja", "es")
PACK = "comfy_ecgan"

Texts = dict[str, Any]
"""node id → {"display_name", "description", "inputs": {id: {"name", "tooltip"}}, "outputs": {index: …}}."""


def english(definitions: Mapping[str, Any], pack: str = PACK) -> Texts:
    """The pack's texts as its nodes have them, from ComfyUI's `/object_info`.

    Dots are not allowed in a key: the page reads them as steps into the file, and asks for "_" instead.
    """
    ours = {
        node_id: definition
        for node_id, definition in definitions.items()
        if definition["python_module"] == f"custom_nodes.{pack}"
    }
    return {node_id.replace(".", "_"): _of_node(ours[node_id]) for node_id in sorted(ours)}


def _of_node(definition: Mapping[str, Any]) -> Texts:
    inputs = {
        name.replace(".", "_"): _without_blanks(name=name, tooltip=dict(*options).get("tooltip"))
        for group in ("required", "optional")
        for name, (_, *options) in definition["input"].get(group, {}).items()
    }
    tooltips = definition.get("output_tooltips") or []
    outputs = {
        str(index): _without_blanks(name=name, tooltip=tooltips[index] if index < len(tooltips) else None)
        for index, name in enumerate(definition["output_name"])
    }
    texts = {"display_name": definition["display_name"], "description": definition["description"]}
    return {**texts, "inputs": inputs, "outputs": outputs}


def _without_blanks(**texts: str | None) -> dict[str, str]:
    return {key: text for key, text in texts.items() if text}


def flat(texts: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Each text by its path: "EmotionShift.inputs.vector.tooltip" → "The emotion to …"."""
    found: dict[str, str] = {}
    for key, value in texts.items():
        found.update(flat(value, f"{path}{key}.") if isinstance(value, Mapping) else {f"{path}{key}": value})
    return found


def read(language: str) -> Texts:
    file = LOCALES / language / "nodeDefs.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def remembered() -> dict[str, dict[str, str]]:
    """language → path → digest of the English that it was translated from."""
    return dict(json.loads(REMEMBERED.read_text(encoding="utf-8"))) if REMEMBERED.is_file() else {}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def problems(source: Texts, language: str) -> list[str]:
    """What is wrong with a language's texts, one line each; nothing if it says all that the English `source` says."""
    wanted, given, known = flat(source), flat(read(language)), remembered().get(language, {})
    missing = [f"{language}: {path} is missing" for path in wanted if not given.get(path, "").strip()]
    stale = [f"{language}: {path} is of no node" for path in given if path not in wanted]
    old = [
        f"{language}: {path} translates an earlier English; it is now: {text}"
        for path, text in wanted.items()
        if path in given and known.get(path) != digest(text)
    ]
    return missing + stale + old


def write(language: str, texts: Texts) -> None:
    _write(LOCALES / language / "nodeDefs.json", texts)


def remember(source: Texts, language: str) -> None:
    """Write down that all of `language` translates the English of now."""
    digests = {path: digest(text) for path, text in flat(source).items()}
    _write(REMEMBERED, {**remembered(), language: digests})


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def definitions_of_now() -> dict[str, Any]:
    """`/object_info` of a ComfyUI with this checkout in it."""
    with tempfile.TemporaryDirectory() as folder:
        prepare_base(Path(folder), pack_name=PACK)
        with Server(Path(folder)) as server:
            return dict(server.client.get_json("/object_info"))


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the English texts of the nodes, and compares the others.")
    parser.add_argument("--done", metavar="LANGUAGE", choices=LANGUAGES, nargs="+", default=[], help="looked through")
    arguments = parser.parse_args()
    try:
        source = english(definitions_of_now())
    except HostError as error:
        print(error, file=sys.stderr)
        return 1
    write(ENGLISH, source)
    for language in arguments.done:
        remember(source, language)
    found = [line for language in LANGUAGES for line in problems(source, language)]
    print("\n".join(found) if found else f"{len(flat(source))} texts, all of them in {', '.join(LANGUAGES)} as well.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
