"""The example that comes with the pack: its workflow in both forms, and what the examples open."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from skimage import data

from tools.host import ROOT

NAME = "complete-and-shift"
UI_WORKFLOW = ROOT / "workflows" / f"{NAME}.json"
API_WORKFLOW = ROOT / "workflows" / "api" / f"{NAME}.json"
PORTRAITS = ROOT / "workflows" / "input"

PHOTOGRAPH = "photograph.png"
PHOTOGRAPH_HOLE = (193, 123, 253, 172)  # left, top, right, bottom: mouth and chin of the face in the photograph


def prepare_inputs(folder: Path) -> list[str]:
    """Put what the examples open into ComfyUI's input `folder`; the names of pictures with a hole, rendered ones first.

    Those are RGBA with a transparent hole, which is how ComfyUI's own mask editor stores a mask: LoadImage gives the
    colours that lie under the hole, too, and mask = 1 − alpha. The others are faces as a whole: three people of
    `ecgan portraits recipes/emotions/artist.yaml --count 6 --size 384`, neutral, and two of them laughing. The clip is
    `ecgan portraits clip recipes/emotions/basic7.yaml --seed 109 --frames 48` with the one keyframe `0: neutral`, as
    H.264 (crf 17).
    """
    names = []
    for portrait in sorted(file for ending in ("png", "jpg", "mp4") for file in PORTRAITS.glob(f"*.{ending}")):
        shutil.copyfile(portrait, folder / portrait.name)
        if portrait.suffix == ".png":
            names.append(portrait.name)
    photograph().save(folder / PHOTOGRAPH)
    return [*names, PHOTOGRAPH]


def photograph() -> Image.Image:
    """A real one: astronaut Eileen Collins (NASA, public domain; scikit-image ships it), her mouth made a hole."""
    picture = Image.fromarray(data.astronaut()).convert("RGBA")
    alpha = Image.new("L", picture.size, 255)
    ImageDraw.Draw(alpha).ellipse(PHOTOGRAPH_HOLE, fill=0)
    picture.putalpha(alpha)
    return picture


def load_prompt(path: Path = API_WORKFLOW) -> dict[str, dict[str, Any]]:
    """A workflow in API form: node id → {"class_type", "inputs"}."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def with_inputs(prompt: Mapping[str, Mapping[str, Any]], class_type: str, **inputs: Any) -> dict[str, dict[str, Any]]:
    """A copy of `prompt` in which every node of that class has these inputs."""
    changed = json.loads(json.dumps(prompt))
    for node in changed.values():
        if node["class_type"] == class_type:
            node["inputs"].update(inputs)
    return dict(changed)


def links(prompt: Mapping[str, Mapping[str, Any]], node_id: str) -> Iterator[tuple[str, int]]:
    """(node id, output index) of all that feeds a node."""
    for value in prompt[node_id]["inputs"].values():
        if isinstance(value, list) and len(value) == 2 and str(value[0]) in prompt:
            yield str(value[0]), int(value[1])


def depends_on(prompt: Mapping[str, Mapping[str, Any]], node_id: str, class_type: str) -> bool:
    """Whether a node is of that class, or anything upstream of it is."""
    return prompt[node_id]["class_type"] == class_type or any(
        depends_on(prompt, source, class_type) for source, _ in links(prompt, node_id)
    )
