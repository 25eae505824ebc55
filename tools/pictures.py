"""`python -m tools.pictures`: every picture that shows what the nodes do, made by running them in a real ComfyUI.

Thumbnails of the example workflows go to `workflows/NAME.jpg`, pictures of the help pages to
`comfy_ecgan/web/docs/images/NODE_ID.jpg`, a screenshot for the README to `docs/comfyui.jpg`. All faces in them are
rendered: nobody is shown who could mind. Run it again after the default model has changed.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

from ecgan_core.face.regions import PARTS
from tools import gallery
from tools.comfyui import example, page
from tools.comfyui.client import RunError
from tools.comfyui.server import Server, prepare_base
from tools.comfyui.workflow import Node, Workflow
from tools.gallery import pieces
from tools.host import ROOT, HostError

HELP = ROOT / "comfy_ecgan" / "web" / "docs" / "images"
MAX_BYTES = 40_000
CELL, GAP, CAPTION = 168, 8, 24
INK, PAPER = "#dddde0", "#202024"

Cell = tuple[str, Image.Image]  # its caption and its picture
Prompt = dict[str, dict[str, Any]]
Draw = Callable[["Studio"], list[Cell]]


class Studio:
    """A running ComfyUI and the pictures that go into it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def show(self, workflow: Workflow, node: str | None = None, **changed: dict[str, Any]) -> list[Image.Image]:
        """What `node` of an example shows (by default the one that it is about), with the widgets `changed` by node."""
        prompt = example.load_prompt(ROOT / "workflows" / "api" / f"{workflow.name}.json")
        number = {described.name: str(index) for index, described in enumerate(workflow.nodes, start=1)}
        for name, widgets in changed.items():
            prompt[number[name]]["inputs"] |= widgets
        wanted = number[node or workflow.shows]
        run = self.server.client.run(_only(prompt, wanted))
        files = [self.server.client.image(reference) for reference in run.images(wanted)]
        return [Image.open(io.BytesIO(file)).convert("RGB") for file in files]

    def input(self, name: str) -> Image.Image:
        """An input picture as LoadImage shows it, its hole dark."""
        with Image.open(self.server.base / "input" / name).convert("RGBA") as picture:
            shown = Image.new("RGB", picture.size, "#3a3a40")
            shown.paste(picture.convert("RGB"), mask=picture.getchannel("A"))
        return shown


def _only(prompt: Prompt, node: str) -> Prompt:
    """The part of a workflow that a node needs: what lies behind it may need more than this machine has."""
    needed = {node}
    while more := {source for known in needed for source, _ in example.links(prompt, known)} - needed:
        needed |= more
    return {number: prompt[number] for number in prompt if number in needed}


# Help pages ---


def draw_complete(studio: Studio) -> list[Cell]:
    samples = studio.show(gallery.FOUR_VARIATIONS, complete={"samples": 2, "emotion": "neutral"})
    happy = studio.show(gallery.FOUR_VARIATIONS, complete={"samples": 1, "emotion": "happy"})
    masked = studio.input("portrait-1.png")
    return [("masked", masked), ("neutral", samples[0]), ("another sample", samples[1]), ("happy", happy[0])]


def draw_shift(studio: Studio) -> list[Cell]:
    strengths = (-0.5, 0.0, 0.5, 1.0)
    return [
        (f"strength {strength:g}", studio.show(gallery.EMOTION_SLIDER, shift={"strength": strength})[0])
        for strength in strengths
    ]


def draw_sweep(studio: Studio) -> list[Cell]:
    frames = studio.show(gallery.ANIMATION_STRIP, sweep={"steps": 5, "ping_pong": False})
    return [(f"frame {number}", frame) for number, frame in enumerate(frames, start=1)]


def draw_keyframes(studio: Studio) -> list[Cell]:
    frames = studio.show(gallery.EMOTION_KEYFRAMES)
    curve = studio.show(gallery.EMOTION_KEYFRAMES, "keyframes")
    shown = [(f"frame {number}", frames[number]) for number in (0, 10, 20, 28)]
    return [*shown, ("the curves on the node", curve[0])]


def draw_mix(studio: Studio) -> list[Cell]:
    plain = studio.show(gallery.BLEND_TWO_EMOTIONS, "complete")
    cells = [("completed", plain[0])]
    for caption, first, second in [
        ("happy", 1.0, 0.0),
        ("0.6 happy + 0.4 sad", 0.6, 0.4),
        ("sad", 0.0, 1.0),
    ]:
        mixed = studio.show(gallery.BLEND_TWO_EMOTIONS, mix={"weight_1": first, "weight_2": second})
        cells.append((caption, mixed[0]))
    return cells


def draw_read(studio: Studio) -> list[Cell]:
    face = studio.show(gallery.EMOTION_SLIDER)
    chart = studio.show(gallery.EMOTION_SLIDER, "read")
    return [("a face", face[0]), ("what the model reads in it", chart[0])]


def draw_holes(studio: Studio) -> list[Cell]:
    changes = [{"part": part, "grow": 0.0} for part in PARTS]
    return [(str(to["part"]), studio.show(gallery.COMPLETE_A_MOUTH, "hole", hole=to)[0]) for to in changes]


def draw_build(studio: Studio) -> list[Cell]:
    before = studio.show(gallery.VECTOR_FROM_PHOTOS, "complete")
    after = studio.show(gallery.VECTOR_FROM_PHOTOS)
    photos = [("laughing", studio.input("laugh-2.jpg")), ("not laughing", studio.input("face-2.jpg"))]
    return [*photos, ("another face", before[0]), ("moved along the vector", after[0])]


STRIPS: dict[str, Draw] = {
    "MaskedFaceComplete": draw_complete,
    "EmotionShift": draw_shift,
    "EmotionVectorBuild": draw_build,
    "ECGANEmotionMix": draw_mix,
    "ECGANInferEmotion": draw_read,
    "ECGANEmotionSweep": draw_sweep,
    "ECGANFaceHole": draw_holes,
    "ECGANEmotionKeyframes": draw_keyframes,
}
# Nodes that draw nothing are shown themselves, as they look in ComfyUI.
PORTRAYED = (
    pieces.load_model(),
    Node("save", "ECGANVectorSave", (0, 0), (340, 60), widgets={"filename_prefix": "my-emotions/smirk"}),
    Node("load", "ECGANVectorLoad", (0, 0), (340, 60), widgets={"file": "my-emotions/smirk_00001_.safetensors"}),
)


def strip(cells: Iterable[Cell]) -> Image.Image:
    """Captioned pictures in a row, all of one height."""
    fitted = [(caption, image.resize((round(image.width * CELL / image.height), CELL))) for caption, image in cells]
    width = sum(image.width + GAP for _, image in fitted) + GAP
    sheet = Image.new("RGB", (width, CELL + CAPTION + GAP), PAPER)
    draw, font, left = ImageDraw.Draw(sheet), ImageFont.load_default(size=13), GAP
    for caption, image in fitted:
        draw.text((left + image.width / 2, CAPTION / 2), caption, fill=INK, font=font, anchor="mm")
        sheet.paste(image, (left, CAPTION))
        left += image.width + GAP
    return sheet


# Thumbnails ---


def thumbnail(studio: Studio, workflow: Workflow) -> Image.Image:
    """What goes in on the left, what comes out on the right."""
    loaded = next((node.widgets["image"] for node in workflow.nodes if node.name == "image"), None)
    results = studio.show(workflow, None)
    sheet = Image.new("RGB", (640, 320), PAPER)
    before = studio.input(loaded) if loaded else studio.show(workflow, "hole")[0]  # of a clip, its first frame
    sheet.paste(before.resize((320, 320)), (0, 0))
    columns, rows = {1: (1, 1), 2: (2, 1)}.get(len(results), (2, 2))
    size = (320 // columns, 320 // rows)
    for index, result in enumerate(_spread(results, columns * rows)):
        place = (320 + size[0] * (index % columns), size[1] * (index // columns))
        sheet.paste(ImageOps.fit(result, size), place)
    return sheet


def _spread(results: list[Image.Image], count: int) -> list[Image.Image]:
    """`count` of the results, from first to last; of a film there are more than fit, and it goes back half-way."""
    if len(results) <= count:
        return results
    return [results[round(index * (len(results) // 2) / (count - 1))] for index in range(count)]


def save(image: Image.Image, path: Path, most: int = MAX_BYTES) -> None:
    """As a JPEG of at most `most` bytes, as good as that allows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for quality in range(90, 30, -5):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() <= most:
            break
    path.write_bytes(file.getvalue())
    print(f"{path.relative_to(ROOT)}: {image.width}×{image.height}, {file.tell() // 1000} kB", flush=True)


def portray(server: Server) -> None:
    """Pictures of the nodes in `PORTRAYED`, taken from the page, and the page itself with an example that has run."""
    with page.browsing() as browser:
        opened = page.open_page(browser, server.url, complaints=[])
        opened.evaluate("() => app.ui.settings.setSettingValue('Comfy.NodeBadge.NodeSourceBadgeMode', 'None')")
        for node in PORTRAYED:
            page.build(opened, Workflow(node.name, (node,), node.name))
            image = Image.open(io.BytesIO(page.portrait_of(opened, node.type)))
            save(image.convert("RGB"), HELP / f"{node.type}.jpg")
        form = json.loads((ROOT / "workflows" / f"{gallery.COMPLETE_AND_SHIFT.name}.json").read_text(encoding="utf-8"))
        screen = page.screen_of(opened, form, "EmotionShift")
        save(Image.open(io.BytesIO(screen)).convert("RGB"), ROOT / "docs" / "comfyui.jpg", most=150_000)


def draw_all() -> None:
    with tempfile.TemporaryDirectory() as base:
        prepare_base(Path(base))
        example.prepare_inputs(Path(base) / "input")
        with Server(Path(base)) as server:
            studio = Studio(server)
            for workflow in gallery.GALLERY:
                save(thumbnail(studio, workflow), ROOT / "workflows" / f"{workflow.name}.jpg")
            for node_id, draw in STRIPS.items():
                save(strip(draw(studio)), HELP / f"{node_id}.jpg")
            portray(server)


def main() -> int:
    try:
        draw_all()
    except (HostError, RunError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
