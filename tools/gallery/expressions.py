"""The examples that move expressions: a slider, a mix, a strip of pictures, a vector of the user's own photographs."""

from __future__ import annotations

from tools.comfyui.workflow import Group, Node, Workflow

from .pieces import (
    FIRST,
    FOURTH,
    HOLE,
    LATENT,
    MODEL,
    NARROW,
    SECOND,
    THIRD,
    TOP,
    WIDE,
    batch,
    complete,
    face_hole,
    keyframes,
    load_image,
    load_model,
    note,
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
            {"emotion_1": "happy", "weight_1": 0.6, "emotion_2": "sad", "weight_2": 0.4},
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


EMOTION_KEYFRAMES = Workflow(
    "emotion-keyframes",
    (
        load_model(),
        load_image("image", "face-3.jpg", (FIRST, 200)),
        note(
            "Emotions over time",
            "Each line of **keyframes** says what a frame shows; between them the face moves. Press **Run** and look "
            "at the curves, then change a line. *Save Animated WEBP* writes the film to ComfyUI's output folder.\n\n"
            "Load your own portrait on **Load Image**. For a clip, load its frames instead, turn on **track** on both "
            "nodes, set **frames** to 0 and turn off **loop**.",
            (FIRST, 680),
            190,
        ),
        face_hole("lower face", (SECOND, TOP)),
        complete((THIRD, TOP), HOLE, emotion="neutral", strength=0.0),
        keyframes(
            "0: neutral\n8: happy\n12: happy\n20: 0.7 surprised\n28: sad 0.8", frames=36, easing="ease", loop=True
        ),
        Node(
            "film",
            "SaveAnimatedWEBP",
            (FOURTH + 420, TOP),
            (WIDE, 400),
            {"images": ("keyframes", "images")},
            {"filename_prefix": "keyframes", "fps": 12.0, "lossless": False, "quality": 85},
        ),
        Node("frames", "PreviewImage", (FOURTH + 420, 520), (WIDE, 400), {"images": ("keyframes", "images")}),
    ),
    shows="frames",
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
        batch("with", "with-1", "with-2", (800, 280)),
        batch("without", "without-1", "without-2", (800, 660)),
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
