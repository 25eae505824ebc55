"""Workflows that earlier releases saved, and what they meant."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "data" / "workflows"
FILES = sorted(FOLDER.glob("*/*.json"))
TYPES_WITH_WIDGET = {"BOOLEAN", "COMBO", "FLOAT", "INT", "STRING"}


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def load(file: Path) -> dict[str, Any]:
    """The workflow as it was saved: the page's form."""
    return dict(json.loads(file.read_text(encoding="utf-8")))


def meant(file: Path) -> dict[str, dict[str, Any]]:
    """node id → the inputs that the page of that time would have sent for it."""
    sent = json.loads((file.parent / "api" / file.name).read_text(encoding="utf-8"))
    return {node_id: dict(node["inputs"]) for node_id, node in sent.items()}


def read_by_position(workflow: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The workflow in API form, its values taken by position as the page does, by the nodes' present definitions."""
    sources = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    prompt = {}
    for node in workflow["nodes"]:
        if node["type"] not in definitions:  # notes and such, which only the page knows
            continue
        names = list(_widgets(definitions[node["type"]]))
        # Where a page saved a box for a wire, and all after it, is no value of the inputs that are there now
        # (web/js/saved_values.js).
        saved = list(itertools.takewhile(lambda value: not isinstance(value, dict), node["widgets_values"]))
        inputs = {name: value for name, value in zip(names, saved, strict=False) if name is not None}
        linked = {slot["name"]: sources[slot["link"]] for slot in node["inputs"] if slot.get("link") is not None}
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": {**inputs, **linked}}
    return prompt


def _widgets(definition: Mapping[str, Any]) -> Iterator[str | None]:
    """The inputs whose values are saved, in order; None for a value that is the page's own, such as "fixed"."""
    for group in ("required", "optional"):
        for name in definition["input_order"].get(group, []):
            kind, options = [*definition["input"][group][name], {}][:2]
            if isinstance(kind, list) or kind in TYPES_WITH_WIDGET:
                yield name
                if options.get("control_after_generate") or options.get("image_upload"):
                    yield None
