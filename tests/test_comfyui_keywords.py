"""The pack uses only what ComfyUI 0.3.64 knows: a keyword that it lacks would keep the whole pack from loading.

The lists are those of ComfyUI's sources; releases 0.3.52 and 0.3.75 have the same ones, save `Combo.Output`, and 0.33.0
has all of them. `tests/host/test_keywords.py` holds them against the ComfyUI that the tests run in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "comfy_ecgan" / "nodes").rglob("*.py"))
PACK = [ROOT / "__init__.py", ROOT / "nodes.py", *sorted((ROOT / "comfy_ecgan").rglob("*.py"))]

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

# What else of ComfyUI the pack uses → how its parameters begin; None for what is not called.
MEMORY, FOLDERS, LATEST = "comfy.model_management.", "folder_paths.", "comfy_api.latest."
USED: dict[str, tuple[str, ...] | None] = {
    MEMORY + "get_torch_device": (),
    MEMORY + "intermediate_device": (),
    MEMORY + "load_models_gpu": (
        *("models", "memory_required", "force_patch_weights", "minimum_memory_required", "force_full_load"),
    ),
    MEMORY + "should_use_fp16": ("device",),
    MEMORY + "throw_exception_if_processing_interrupted": (),
    MEMORY + "unet_offload_device": (),
    "comfy.model_patcher.ModelPatcher": ("model", "load_device", "offload_device"),
    "comfy.utils.ProgressBar": ("total",),
    FOLDERS + "add_model_folder_path": ("folder_name", "full_folder_path", "is_default"),
    FOLDERS + "folder_names_and_paths": None,
    FOLDERS + "get_filename_list": ("folder_name",),
    FOLDERS + "get_folder_paths": ("folder_name",),
    FOLDERS + "get_full_path": ("folder_name", "filename"),
    FOLDERS + "get_save_image_path": ("filename_prefix", "output_dir"),
    FOLDERS + "models_dir": None,
    LATEST + "ComfyExtension": None,
    LATEST + "io.Boolean.Input": None,  # the keywords of those that make inputs and outputs are above
    LATEST + "io.Combo.Input": None,
    LATEST + "io.ComfyNode": None,
    LATEST + "io.Custom": ("io_type",),
    LATEST + "io.Float.Input": None,
    LATEST + "io.Image.Input": None,
    LATEST + "io.Image.Output": None,
    LATEST + "io.Input": None,
    LATEST + "io.Int.Input": None,
    LATEST + "io.Mask.Input": None,
    LATEST + "io.Mask.Output": None,
    LATEST + "io.NodeOutput": None,
    LATEST + "io.NumberDisplay.slider": None,
    LATEST + "io.Schema": None,
    LATEST + "io.String.Input": None,
    LATEST + "io.String.Output": None,
    LATEST + "ui.PreviewImage": ("image", "animated", "cls"),
    LATEST + "ui.PreviewText": ("value",),
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


def uses(source: str) -> Iterator[tuple[str, ast.Call | None]]:
    """What a file uses of ComfyUI, by its full name, and the call if it is called."""
    tree, names = ast.parse(source), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = f"{node.module}." if isinstance(node, ast.ImportFrom) and node.level == 0 else ""
            names |= {alias.asname or alias.name: module + alias.name for alias in node.names}
    ours = {
        short: full for short, full in names.items() if full.split(".")[0] in ("comfy", "comfy_api", "folder_paths")
    }
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            text = ast.unparse(node)
            for short, full in ours.items():
                if text == short or (text.startswith(f"{short}.") and "(" not in text):
                    yield full + text.removeprefix(short), called.get(id(node))


def unlisted(source: str) -> list[str]:
    found = []
    for name, call in uses(source):
        parameters = USED.get(name)
        if name not in USED:
            found.append(name)
        elif call and parameters is not None:
            named = {word.arg for word in call.keywords}
            found += [name] if named - set(parameters) or len(call.args) > len(parameters) else []
    return found


@pytest.mark.parametrize("file", PACK, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_what_is_used_of_comfyui_is_listed(file: Path) -> None:
    assert unlisted(file.read_text(encoding="utf-8")) == []


def test_what_is_listed_is_used() -> None:
    assert set(USED) == {name for file in PACK for name, _ in uses(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(
    "source",
    [
        "import folder_paths\nfolder_paths.get_input_directory()",
        "import comfy.utils\ncomfy.utils.ProgressBar(1, node_id='a')",
        "import comfy.model_management as memory\nmemory.should_use_fp16(device, 0)",
        "from comfy_api.latest import io\nio.Hidden.prompt",
    ],
)
def test_a_use_that_is_not_listed_would_be_found(source: str) -> None:
    assert len(unlisted(source)) == 1


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
