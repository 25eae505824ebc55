"""The example workflows: what is in each, and where it lies. `python -m tools.gallery` writes both forms of all.

ComfyUI's own page builds them, so that the files are what a person would have saved. Run it again after a node has got
a new input or the default model another name; then `python -m tools.pictures`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from ecgan_core import DEFAULT_CHECKPOINT
from tools import example, page
from tools.host import HostError
from tools.server import Server, prepare_base
from tools.workflow import Group, Node, Workflow

# Columns: where they begin and how wide the nodes in them are.
FIRST, SECOND, THIRD, FOURTH = 40, 440, 860, 1280
NARROW, WIDE = 340, 360
TOP = 60

MODEL = {"model": ("model", "model")}
LATENT = {**MODEL, "latent": ("complete", "latent")}
PICTURES = "Are the pictures missing? Copy the pack's `workflows/input` into `ComfyUI/input` and press **R**."
SEEN = "The **i** button above a selected node opens its help."


def load_model(at: tuple[int, int] = (FIRST, TOP)) -> Node:
    return Node("model", "LoadECGAN", at, (NARROW, 82), widgets={"model": DEFAULT_CHECKPOINT.name})


def load_image(name: str, file: str, at: tuple[int, int], height: int = 420, title: str = "") -> Node:
    return Node(name, "LoadImage", at, (NARROW, height), widgets={"image": file}, title=title)


def note(title: str, text: str, at: tuple[int, int], height: int, width: int = NARROW) -> Node:
    height += 50 if width == NARROW else 20
    return Node("note", "MarkdownNote", at, (width, height), widgets={"text": f"{text}\n\n{PICTURES}"}, title=title)


def face_hole(part: str, at: tuple[int, int], image: str = "image", **widgets: Any) -> Node:
    return Node("hole", "ECGANFaceHole", at, (WIDE, 500), {"image": (image, "IMAGE")}, {"part": part, **widgets})


def complete(
    at: tuple[int, int], mask: tuple[str, str], image: tuple[str, str] = ("image", "IMAGE"), **widgets: Any
) -> Node:
    inputs = {**MODEL, "image": image, "mask": mask}
    return Node("complete", "MaskedFaceComplete", at, (WIDE, 740), inputs, {"seed": 0, **FIXED, **widgets})


def save(name: str, source: tuple[str, str], prefix: str, at: tuple[int, int], title: str = "") -> Node:
    return Node(name, "SaveImage", at, (WIDE, 420), {"images": source}, {"filename_prefix": prefix}, title)


def _batch(name: str, first: str, second: str, at: tuple[int, int]) -> Node:
    return Node(name, "ImageBatch", at, (NARROW, 50), {"image1": (first, "IMAGE"), "image2": (second, "IMAGE")})


def _prompt(name: str, text: str, at: tuple[int, int]) -> Node:
    return Node(name, "CLIPTextEncode", at, (WIDE, 150), {"clip": ("checkpoint", "CLIP")}, {"text": text}, name.title())


FIXED = {"control_after_generate": "fixed"}
HOLE, PAINTED = ("hole", "mask"), ("image", "MASK")


COMPLETE_AND_SHIFT = Workflow(
    example.NAME,
    (
        load_model(),
        load_image("image", "portrait-1.png", (FIRST, 220)),
        complete((SECOND, TOP), PAINTED),
        Node("shift", "EmotionShift", (THIRD, TOP), (WIDE, 500), LATENT, {"emotion": "happy"}),
        save("completed", ("complete", "image"), "completed", (THIRD, 630), "Save the completed face"),
        save("shifted", ("shift", "image"), "shifted", (FOURTH, TOP), "Save the shifted face"),
        note(
            "How to use your own picture",
            "1. Choose or drop a portrait on **Load Image**.\n"
            "2. Right-click it → *Open in MaskEditor*, paint over the part to be filled, save.\n"
            "3. Press **Run**.\n"
            "4. Move **strength** of **Shift Emotion**, or choose another emotion, and run again: only the shift is "
            f"computed.\n\n{SEEN}",
            (FIRST, 690),
            230,
        ),
    ),
    shows="shift",
)

COMPLETE_A_MOUTH = Workflow(
    "complete-a-mouth",
    (
        load_model(),
        load_image("image", "face-1.jpg", (FIRST, 200)),
        note(
            "A new mouth without painting",
            "1. Choose or drop a portrait on **Load Image**.\n"
            "2. **Face Hole** finds the face and masks its mouth; choose another **part** for the eyes or half the "
            "face.\n"
            "3. Choose the **emotion** on **Complete Masked Face** and press **Run**. Another **seed** gives another "
            f"mouth.\n\n{SEEN}",
            (FIRST, 680),
            190,
        ),
        face_hole("mouth", (SECOND, TOP), grow=0.2),
        complete((THIRD, TOP), HOLE, emotion="happy"),
        save("completed", ("complete", "image"), "new-mouth", (FOURTH, TOP)),
    ),
    shows="complete",
)

FOUR_VARIATIONS = Workflow(
    "four-variations",
    (
        load_model(),
        load_image("image", "portrait-1.png", (FIRST, 200)),
        note(
            "Several faces to choose from",
            "**samples** says how many; **variation** how far they stray from the likeliest face (0: all are that "
            "one). The batch comes in the order of the seeds, which count on from **seed**: to get the third one "
            "alone, set *seed + 2* and one sample.\n\n"
            "Load your own portrait on **Load Image** and paint a mask: right-click → *Open in MaskEditor*.",
            (FIRST, 680),
            190,
        ),
        complete((SECOND, TOP), PAINTED, samples=4, variation=1.0),
        save("completed", ("complete", "image"), "variation", (THIRD, TOP)),
    ),
    shows="complete",
)

EMOTION_SLIDER = Workflow(
    "emotion-slider",
    (
        load_model(),
        load_image("image", "face-2.jpg", (FIRST, 200)),
        note(
            "One slider",
            "The face is completed once, at **strength** 0: plain. Then move **strength** of **Shift Emotion** and "
            "press **Run**: only the shift is computed. At 0 the picture stays as it is, below 0 the face goes the "
            "other way.\n\n**Read Emotion** shows what the model sees in the result.\n\n"
            "Load your own portrait on **Load Image**.",
            (FIRST, 680),
            190,
        ),
        face_hole("lower face", (SECOND, TOP)),
        complete((THIRD, TOP), HOLE, emotion="neutral", strength=0.0),
        Node("shift", "EmotionShift", (FOURTH, TOP), (WIDE, 500), LATENT, {"emotion": "happy", "strength": 0.8}),
        Node("read", "ECGANInferEmotion", (FOURTH, 620), (WIDE, 400), {**MODEL, "image": ("shift", "image")}),
    ),
    shows="shift",
)

BLEND_TWO_EMOTIONS = Workflow(
    "blend-two-emotions",
    (
        load_model(),
        load_image("image", "face-3.jpg", (FIRST, 200)),
        note(
            "An emotion between two",
            "**Mix Emotions** adds the model's emotions by their weights; **Shift Emotion** moves the face along the "
            "mix. Its **strength** scales the whole mix, and its own *emotion* is not used while a vector is "
            "connected.\n\nLoad your own portrait on **Load Image**.",
            (FIRST, 680),
            190,
        ),
        face_hole("lower face", (SECOND, TOP)),
        Node(
            "mix",
            "ECGANEmotionMix",
            (SECOND, 620),
            (WIDE, 500),
            MODEL,
            {"emotion_1": "happy", "weight_1": 0.6, "emotion_2": "surprised", "weight_2": 0.4},
        ),
        complete((THIRD, TOP), HOLE, emotion="neutral", strength=0.0),
        Node("shift", "EmotionShift", (FOURTH, TOP), (WIDE, 500), {**LATENT, "vector": ("mix", "vector")}),
    ),
    shows="shift",
)

ANIMATION_STRIP = Workflow(
    "animation-strip",
    (
        load_model(),
        load_image("image", "face-2.jpg", (FIRST, 200)),
        note(
            "From neutral to happy and back",
            "**Emotion Sweep** draws a frame for each step; **ping_pong** makes the film loop. *Save Animated WEBP* "
            "writes it to ComfyUI's output folder.\n\nConnect a **vector** to the sweep to follow a mix or an emotion "
            "of your own. Load your own portrait on **Load Image**.",
            (FIRST, 680),
            190,
        ),
        face_hole("lower face", (SECOND, TOP)),
        complete((THIRD, TOP), HOLE, emotion="neutral", strength=0.0),
        Node(
            "sweep",
            "ECGANEmotionSweep",
            (FOURTH, TOP),
            (WIDE, 560),
            LATENT,
            {"emotion": "happy", "end": 1.2, "steps": 9, "ping_pong": True},
        ),
        Node(
            "film",
            "SaveAnimatedWEBP",
            (FOURTH + 420, TOP),
            (WIDE, 560),
            {"images": ("sweep", "images")},
            {"filename_prefix": "smile", "fps": 10.0, "lossless": False, "quality": 85},
        ),
    ),
    shows="sweep",
)

VECTOR_FROM_PHOTOS = Workflow(
    "vector-from-photos",
    (
        load_model(),
        note(
            "An emotion of your own",
            "Two people laugh, and the same two don't: the difference is the emotion. Put your own photos on the "
            "**Load Image** nodes, best ten or so. Press **Run**, read the report, and press **R**: then the saved "
            "vector is in the list of **Load Emotion Vector**. To use it without the photos, wake the last two nodes: "
            "drag a box around them with **Ctrl** held, then press **Ctrl+M**. To share it, pass on its file in "
            "`models/ecgan_vectors`.",
            (420, TOP),
            140,
            720,
        ),
        load_image("with-1", "laugh-2.jpg", (FIRST, 280), 370, "Laughing, first person"),
        load_image("with-2", "laugh-3.jpg", (420, 280), 370, "Laughing, second person"),
        load_image("without-1", "face-2.jpg", (FIRST, 680), 370, "Neutral, first person"),
        load_image("without-2", "face-3.jpg", (420, 680), 370, "Neutral, second person"),
        _batch("with", "with-1", "with-2", (800, 280)),
        _batch("without", "without-1", "without-2", (800, 660)),
        Node(
            "build",
            "EmotionVectorBuild",
            (800, 380),
            (NARROW, 170),
            {**MODEL, "images": ("with", "IMAGE"), "neutral_images": ("without", "IMAGE")},
            {"name": "laugh"},
        ),
        Node("report", "PreviewAny", (800, 760), (NARROW, 150), {"source": ("build", "report")}, {}, "How good it is"),
        Node(
            "keep",
            "ECGANVectorSave",
            (800, 960),
            (NARROW, 110),
            {"vector": ("build", "vector")},
            {"filename_prefix": "laugh"},
        ),
        load_image("image", "face-1.jpg", (1220, TOP), 440, "Whoever shall laugh"),
        face_hole("lower face", (1220, 550)),
        complete((1620, TOP), HOLE, emotion="neutral", strength=0.0),
        Node("shift", "EmotionShift", (2020, TOP), (WIDE, 500), {**LATENT, "vector": ("build", "vector")}),
        Node(
            "load", "ECGANVectorLoad", (2440, 60), (WIDE, 90), MODEL, {"file": "laugh_00001_.safetensors"}, muted=True
        ),
        Node(
            "again",
            "EmotionShift",
            (2440, 210),
            (WIDE, 500),
            {**LATENT, "vector": ("load", "vector")},
            {"strength": 0.5},
            muted=True,
        ),
    ),
    shows="shift",
    groups=(
        Group("1. Build and save the emotion", (20, 222, 1140, 868)),
        Group("2. Use it", (1200, -20, 1200, 1110)),
        Group("3. Another day", (2420, -20, 400, 1110)),
    ),
)

BATCH_WITH_ONE_MASK = Workflow(
    "batch-with-one-mask",
    (
        load_model(),
        load_image("image", "portrait-1.png", (FIRST, 200), 360, "Its mask serves both"),
        load_image("second", "portrait-2.png", (FIRST, 610), 360),
        _batch("batch", "image", "second", (SECOND, 130)),
        note(
            "One mask, many pictures",
            "**Batch Images** joins the pictures (of one size); the mask of the first serves all. It works for the "
            "frames of a film, too, as long as the face stays in its place; where it moves, **Face Hole** makes a mask "
            "for each picture.\n\nLoad your own on the two **Load Image** nodes, and paint the mask on the first: "
            "right-click → *Open in MaskEditor*.",
            (SECOND, 250),
            260,
        ),
        complete((THIRD, TOP), PAINTED, ("batch", "IMAGE"), emotion="happy"),
        save("completed", ("complete", "image"), "batch", (FOURTH, TOP)),
    ),
    shows="complete",
)

REFINE_WITH_DIFFUSION = Workflow(
    "refine-with-diffusion",
    (
        load_model(),
        load_image("image", "face-1.jpg", (FIRST, 200)),
        note(
            "First the expression, then the skin",
            "EC-GAN's face is coarse, but wears the expression that you chose. Then a Stable Diffusion model redraws "
            "**only what changed**, gently (**denoise** 0.4: lower keeps more of the expression, higher makes finer "
            "skin).\n\nIt needs a checkpoint of your own in `ComfyUI/models/checkpoints`: choose it on **Load "
            "Checkpoint**. SD 1.5 models like faces of about 512 pixels.\n\nLoad your own portrait on **Load "
            "Image**, and say in the prompt what it shows.",
            (FIRST, 680),
            300,
        ),
        face_hole("lower face", (SECOND, TOP)),
        complete((THIRD, TOP), HOLE, emotion="happy"),
        Node(
            "checkpoint",
            "CheckpointLoaderSimple",
            (FOURTH, TOP),
            (WIDE, 100),
            {},
            {"ckpt_name": "v1-5-pruned-emaonly-fp16.safetensors"},
        ),
        _prompt("positive", "portrait of a smiling woman, natural skin, soft light, sharp focus", (FOURTH, 210)),
        _prompt("negative", "blurry, painting, deformed teeth", (FOURTH, 410)),
        Node(
            "encode",
            "VAEEncode",
            (FOURTH, 610),
            (WIDE, 50),
            {"pixels": ("complete", "image"), "vae": ("checkpoint", "VAE")},
        ),
        Node(
            "noise",
            "SetLatentNoiseMask",
            (FOURTH, 710),
            (WIDE, 50),
            {"samples": ("encode", "LATENT"), "mask": ("complete", "changed")},
        ),
        Node(
            "sample",
            "KSampler",
            (FOURTH + 420, TOP),
            (WIDE, 270),
            {
                "model": ("checkpoint", "MODEL"),
                "positive": ("positive", "CONDITIONING"),
                "negative": ("negative", "CONDITIONING"),
                "latent_image": ("noise", "LATENT"),
            },
            {
                "seed": 0,
                **FIXED,
                "steps": 25,
                "cfg": 6.0,
                "sampler_name": "dpmpp_2m",
                "scheduler": "karras",
                "denoise": 0.4,
            },
        ),
        Node(
            "decode",
            "VAEDecode",
            (FOURTH + 420, 380),
            (WIDE, 50),
            {"samples": ("sample", "LATENT"), "vae": ("checkpoint", "VAE")},
        ),
        Node(
            "join",
            "ImageCompositeMasked",
            (FOURTH + 420, 480),
            (WIDE, 150),
            {
                "destination": ("image", "IMAGE"),
                "source": ("decode", "IMAGE"),
                "mask": ("complete", "changed"),
            },
            title="Only what changed",
        ),
        Node(
            "refined",
            "SaveImage",
            (FOURTH + 420, 680),
            (WIDE, 420),
            {"images": ("join", "IMAGE")},
            {"filename_prefix": "refined"},
        ),
    ),
    shows="complete",
    groups=(Group("Stable Diffusion redraws what changed", (FOURTH - 20, TOP - 80, 820, 1140)),),
)

GALLERY = (
    COMPLETE_AND_SHIFT,
    COMPLETE_A_MOUTH,
    FOUR_VARIATIONS,
    EMOTION_SLIDER,
    BLEND_TWO_EMOTIONS,
    ANIMATION_STRIP,
    VECTOR_FROM_PHOTOS,
    BATCH_WITH_ONE_MASK,
    REFINE_WITH_DIFFUSION,
)
# What this machine cannot run, and why.
NEEDS_MORE = {REFINE_WITH_DIFFUSION.name: "a Stable Diffusion checkpoint of the user's"}


def write(folder: Path) -> None:
    """Build every example in ComfyUI's page, and write `NAME.json` and `api/NAME.json` into `folder`."""
    with tempfile.TemporaryDirectory() as base:
        prepare_base(Path(base))
        example.prepare_inputs(Path(base) / "input")
        with Server(Path(base)) as server, page.browsing() as browser:
            opened = page.open_page(browser, server.url, complaints=[])
            for workflow in GALLERY:
                form = page.build(opened, workflow)
                _write_json(folder / f"{workflow.name}.json", _tidied(form))
                page.load(opened, _tidied(form), workflow.name)
                _write_json(folder / "api" / f"{workflow.name}.json", page.api_form(opened))
                print(f"{workflow.name}: {len(workflow.nodes)} nodes", flush=True)


def _tidied(form: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from one run to the next."""
    form["id"] = "00000000-0000-0000-0000-000000000000"
    form["extra"] = {"ds": {"scale": 0.7, "offset": [90, 190]}}  # right of and below the page's own bars
    return form


def _write_json(path: Path, form: dict[str, Any]) -> None:
    path.write_text(json.dumps(form, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> int:
    try:
        write(example.UI_WORKFLOW.parent)
    except HostError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
