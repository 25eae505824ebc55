"""The examples that complete faces: by hand and by name, several times, many at once, and for a diffusion model."""

from __future__ import annotations

from tools.comfyui import example
from tools.comfyui.workflow import Group, Node, Workflow

from .pieces import (
    FIRST,
    FIXED,
    FOURTH,
    HOLE,
    LATENT,
    PAINTED,
    SECOND,
    SEEN,
    THIRD,
    TOP,
    WIDE,
    batch,
    complete,
    face_hole,
    load_image,
    load_model,
    note,
    prompt,
    save,
)

COMPLETE_AND_SHIFT = Workflow(
    example.NAME,
    (
        load_model(),
        load_image("image", "portrait-1.png", (FIRST, 220)),
        complete((SECOND, TOP), PAINTED, inside_face=True),
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
        complete((SECOND, TOP), PAINTED, samples=4, variation=1.0, inside_face=True),
        save("completed", ("complete", "image"), "variation", (THIRD, TOP)),
    ),
    shows="complete",
)


BATCH_WITH_ONE_MASK = Workflow(
    "batch-with-one-mask",
    (
        load_model(),
        load_image("image", "portrait-1.png", (FIRST, 200), 360, "Its mask serves both"),
        load_image("second", "portrait-2.png", (FIRST, 610), 360),
        batch("batch", "image", "second", (SECOND, 130)),
        note(
            "One mask, many pictures",
            "**Batch Images** joins the pictures (of one size); the mask of the first serves all. It works for the "
            "frames of a film, too, as long as the face stays in its place; where it moves, **Face Hole** makes a mask "
            "for each picture.\n\nLoad your own on the two **Load Image** nodes, and paint the mask on the first: "
            "right-click → *Open in MaskEditor*.",
            (SECOND, 250),
            260,
        ),
        complete((THIRD, TOP), PAINTED, ("batch", "IMAGE"), emotion="happy", inside_face=True),
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
        prompt("positive", "portrait of a smiling woman, natural skin, soft light, sharp focus", (FOURTH, 210)),
        prompt("negative", "blurry, painting, deformed teeth", (FOURTH, 410)),
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
