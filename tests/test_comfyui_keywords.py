"""Our nodes use only what ComfyUI 0.3.64 knows: a keyword that it lacks would keep the whole pack from loading.

The lists are those of ComfyUI's `io` module; releases 0.3.52 and 0.3.75 have the same ones, save `Combo.Output`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "comfy_ecgan" / "nodes").rglob("*.py"))

SCHEMA = {
    *("node_id", "display_name", "category", "inputs", "outputs", "hidden", "description", "is_input_list"),
    *("is_output_node", "is_deprecated", "is_experimental", "is_api_node", "not_idempotent", "enable_expand"),
}
INPUT = {"id", "display_name", "optional", "tooltip", "lazy", "extra_dict"}
WIDGET = INPUT - {"extra_dict"} | {"default", "socketless", "force_input"}
OUTPUT = {"id", "display_name", "tooltip", "is_output_list"}

# What is called, without the leading "io." → the keywords that it takes. Any other type's Input is a plain socket.
ALLOWED = {
    "Schema": SCHEMA,
    "NodeOutput": {"ui", "expand", "block_execution"},
    "Boolean.Input": WIDGET | {"label_on", "label_off"},
    "Int.Input": WIDGET | {"min", "max", "step", "control_after_generate", "display_mode"},
    "Float.Input": WIDGET | {"min", "max", "step", "round", "display_mode"},
    "String.Input": WIDGET | {"multiline", "placeholder", "dynamic_prompts"},
    "Combo.Input": WIDGET - {"force_input"} | {"options", "control_after_generate", "upload", "image_folder", "remote"},
    "Combo.Output": set(),
}


def calls(source: str) -> Iterator[tuple[int, str, set[str]]]:
    """(line, what is called, its keywords) of each use of ComfyUI's schema classes, and of our own sockets."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).removeprefix("io.")
            if called in ALLOWED or called.endswith((".Input", ".Output")):
                yield node.lineno, called, {word.arg or "**" for word in node.keywords}


def unknown(source: str) -> list[str]:
    found = []
    for line, called, keywords in calls(source):
        allowed = ALLOWED.get(called, OUTPUT if called.endswith(".Output") else INPUT)
        found += [f"line {line}: {called}({keyword}=…)" for keyword in sorted(keywords - allowed)]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_keyword_that_comfyui_0_3_64_lacks(file: Path) -> None:
    assert unknown(file.read_text(encoding="utf-8")) == []


def test_the_nodes_are_where_this_test_looks() -> None:
    seen = [called for file in FILES for _, called, _ in calls(file.read_text(encoding="utf-8"))]
    assert seen.count("Schema") >= 10
    assert {"Schema", "Combo.Input", "Float.Input", "ModelSocket.Input", "Image.Output"} <= set(seen)


@pytest.mark.parametrize(
    "source",
    [
        "io.Schema(node_id='A', search_aliases=['b'])",
        "io.Float.Input('a', advanced=True)",
        "ModelSocket.Input('a', default=1)",
        "io.Image.Output('a', optional=True)",
        "io.Int.Input('a', **more)",
    ],
)
def test_one_would_be_found(source: str) -> None:
    assert len(unknown(source)) == 1
