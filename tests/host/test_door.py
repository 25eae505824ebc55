"""ComfyUI's door to the pack: what it offers, under which names, and what importing it may not do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host.pack import ROOT

# The contract of saved workflows. Ids never change, and a new input goes to the end of its line.
INPUTS = {
    "LoadECGAN": ["model", "precision"],
    "MaskedFaceComplete": [
        *("model", "image", "mask", "emotion", "strength", "seed", "samples", "variation", "face", "feather"),
        *("face_box", "color_match", "bounding_boxes", "texture", "on_no_face", "track", "inside_face"),
        "texture_alive",
    ],
    "EmotionShift": ["model", "latent", "vector", "strength", "emotion", "over_time"],
    "EmotionVectorBuild": ["model", "images", "neutral_images", "name", "face", "on_no_face"],
    "ECGANEmotionMix": [
        "model",
        *("emotion_1", "weight_1", "emotion_2", "weight_2", "emotion_3", "weight_3", "emotion_4", "weight_4"),
        "vector",
    ],
    "ECGANInferEmotion": ["model", "image", "mask", "face", "on_no_face"],
    "ECGANEmotionSweep": ["model", "latent", "vector", "emotion", "start", "end", "steps", "ping_pong"],
    "ECGANVectorSave": ["vector", "filename_prefix"],
    "ECGANVectorLoad": ["file", "model"],
    "ECGANFaceHole": [
        *("image", "part", "grow", "soften", "face", "face_box", "all_faces", "on_no_face", "track", "inside_face"),
    ],
    "ECGANEmotionKeyframes": ["model", "latent", "keyframes", "frames", "easing", "loop", "vector"],
}
OUTPUTS = {
    "LoadECGAN": ["ECGAN_MODEL"],
    "MaskedFaceComplete": ["IMAGE", "ECGAN_LATENT", "MASK"],
    "EmotionShift": ["IMAGE", "ECGAN_LATENT"],
    "EmotionVectorBuild": ["EMOTION_VECTOR", "STRING"],
    "ECGANEmotionMix": ["EMOTION_VECTOR"],
    "ECGANInferEmotion": ["STRING", "IMAGE"],
    "ECGANEmotionSweep": ["IMAGE"],
    "ECGANVectorSave": ["STRING"],
    "ECGANVectorLoad": ["EMOTION_VECTOR"],
    "ECGANFaceHole": ["MASK"],
    "ECGANEmotionKeyframes": ["IMAGE", "IMAGE", "EMOTION_KEYFRAMES"],
}


def test_the_pack_offers_its_nodes_with_the_contract_of_saved_workflows(pack):
    assert {id: [slot.id for slot in node.define_schema().inputs] for id, node in pack.items()} == INPUTS
    assert {id: [slot.io_type for slot in node.define_schema().outputs] for id, node in pack.items()} == OUTPUTS


# What the page of ComfyUI 0.33.0 draws as a widget: `Object.keys(app.widgets)`, with all that 0.3.75 draws.
DRAWN = {
    *("AUDIOUPLOAD", "AUDIO_RECORD", "AUDIO_UI", "BOOLEAN", "BOUNDING_BOX", "BOUNDING_BOXES", "CHART", "COLOR"),
    *("COLORS", "COMBO", "COMFY_DYNAMICCOMBO_V3", "COMPOSITOR", "CURVE", "FLOAT", "GALLERIA", "IMAGECOMPARE"),
    *("IMAGEUPLOAD", "INT", "LOAD_3D", "LOAD_3D_ADVANCED", "MARKDOWN", "PAINTER", "PREVIEW_3D", "RANGE", "STRING"),
    *("TEXTAREA", "VIDEO_EDIT", "WEBCAM"),
}


def test_a_wire_is_never_drawn_as_a_widget(pack):
    """Or its value would count as connected."""
    from comfy_api.latest import io

    wires = [
        (f"{id}.{slot.id}", slot.io_type, slot.as_dict())
        for id, node in pack.items()
        for slot in node.define_schema().inputs
        if not isinstance(slot, io.WidgetInput)
    ]
    assert ("MaskedFaceComplete.mask", "MASK") in [(name, kind) for name, kind, _ in wires]
    assert [name for name, kind, shown in wires if kind in DRAWN and not shown.get("forceInput")] == []
    assert [name for name, kind, _ in wires if kind in DRAWN] == ["MaskedFaceComplete.bounding_boxes"]


def test_everything_is_explained_to_the_artist(pack):
    for id, node in pack.items():
        schema = node.define_schema()
        assert schema.category == "ECGAN"
        assert schema.display_name != id
        assert schema.description
        for slot in [*schema.inputs, *schema.outputs]:
            assert slot.tooltip, f"{id}.{slot.id} has no tooltip"
        docs = ROOT / "comfy_ecgan" / "web" / "docs"
        page = (docs / f"{id}.md").read_text(encoding="utf-8")
        named = [slot.display_name or slot.id for slot in [*schema.inputs, *schema.outputs]]
        assert [name for name in named if f"**{name}**" not in page] == [], f"missing on the help page of {id}"
        (picture,) = re.findall(r"!\[[^]]+\]\((images/[^)]+)\)", page)
        assert (docs / picture).stat().st_size <= 40_000


PROBE = """
import asyncio, importlib.util, sys
from pathlib import Path
sys.path.insert(0, {comfyui!r})
from comfy.cli_args import args
args.cpu = True
folder = {folder!r}
name = folder.replace(".", "_x_")
spec = importlib.util.spec_from_file_location(name, folder + "/__init__.py")
pack = sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)
nodes = asyncio.run(asyncio.run(pack.comfy_entrypoint()).get_node_list())
assert len([node.GET_SCHEMA() for node in nodes]) == 11
import comfy_ecgan, ecgan_core
for package in (comfy_ecgan, ecgan_core):
    assert package.__name__ in ("comfy_ecgan", "ecgan_core")
root = Path({root!r})
ours = {{root / "comfy_ecgan", root / "ecgan_core", root / "nodes.py"}}
loaded = [Path(module.__file__).resolve() for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
files = [file for file in loaded if ours & {{file, *file.parents}}]
assert {{root / "comfy_ecgan" / "sockets.py", root / "ecgan_core" / "__init__.py"}} <= set(files)
assert len(files) == len(set(files)), "loaded twice: " + str(sorted(files))
print(bool({{"diffusers", "skimage"}} & set(sys.modules)), comfy_ecgan.sockets.__file__, ecgan_core.__file__, sep="|")
print(*sys.path, sep="|")
"""


def probe(comfyui, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Load the pack from `folder` in a fresh Python that works elsewhere."""
    code = PROBE.format(comfyui=str(comfyui.folder), folder=str(folder), root=str(ROOT))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=comfyui.folder, env=clean | environment)


@pytest.mark.parametrize("name", ["comfy_ecgan", "comfy-ecgan-main", "my faces 2.0"])
def test_it_loads_under_any_folder_name_without_heavy_packages_and_leaves_sys_path_alone(comfyui, tmp_path, name):
    folder = tmp_path / name
    folder.symlink_to(ROOT, target_is_directory=True)
    result = probe(comfyui, folder)
    assert result.returncode == 0, result.stderr
    first, path = result.stdout.splitlines()[-2:]
    assert first.split("|") == [
        "False",
        str(ROOT / "comfy_ecgan" / "sockets.py"),
        str(ROOT / "ecgan_core" / "__init__.py"),
    ]
    assert not {str(ROOT), str(folder)} & set(path.split("|"))


def test_packages_of_ours_that_are_importable_already_stay_the_ones_in_use(comfyui, tmp_path):
    (tmp_path / "ecgan_core").symlink_to(ROOT / "ecgan_core", target_is_directory=True)  # as pip would install it
    result = probe(comfyui, ROOT, PYTHONPATH=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-2].split("|")[2] == str(tmp_path / "ecgan_core" / "__init__.py")


def test_the_parent_folder_on_the_path_does_not_make_the_pack_its_own_inner_package(comfyui, tmp_path):
    (tmp_path / "comfy_ecgan").symlink_to(ROOT, target_is_directory=True)
    result = probe(comfyui, tmp_path / "comfy_ecgan", PYTHONPATH=str(tmp_path))
    assert result.returncode == 0, result.stderr
    code = "import comfy_ecgan.pictures, ecgan_core; print(comfy_ecgan.pictures.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", code]
    imported = subprocess.run(command, capture_output=True, text=True, cwd=comfyui.folder, env=environment)
    assert imported.stdout.strip() == str(ROOT / "comfy_ecgan" / "pictures.py"), imported.stderr


def test_a_foreign_package_of_our_name_is_refused_by_name_and_place(comfyui, tmp_path):
    (tmp_path / "ecgan_core").mkdir()
    (tmp_path / "ecgan_core" / "__init__.py").touch()
    result = probe(comfyui, ROOT, PYTHONPATH=str(tmp_path))
    assert result.returncode != 0
    last = result.stderr.splitlines()[-1]
    assert "'ecgan_core'" in last
    assert str(tmp_path) in last
