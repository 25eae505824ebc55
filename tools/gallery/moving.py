"""The example that takes a clip and gives one: every frame is completed, and its expression follows keyframes."""

from __future__ import annotations

from tools.comfyui.workflow import Node, Workflow

from .pieces import (
    FIRST,
    FOURTH,
    HOLE,
    NARROW,
    SECOND,
    THIRD,
    TOP,
    WIDE,
    complete,
    face_hole,
    keyframes,
    load_model,
    note,
)

FIFTH = FOURTH + 420
KEYFRAMES = "0: neutral\n10: happy\n18: happy\n26: neutral\n34: 0.8 surprised\n38: 0.8 surprised\n47: neutral"
PARTS = ("parts", "images")

CLIP_IN_CLIP_OUT = Workflow(
    "clip-in-clip-out",
    (
        load_model(),
        Node("clip", "LoadVideo", (FIRST, 200), (NARROW, 420), widgets={"file": "clip-1.mp4"}),
        Node("parts", "GetVideoComponents", (FIRST, 680), (NARROW, 80), {"video": ("clip", "VIDEO")}),
        note(
            "A clip in, a clip out",
            "**track** on **Face Hole** and on **Complete Masked Face** follows each face over the clip and holds it "
            "still, and one **seed** draws the same mouth in every frame. **Emotion Keyframes** then moves it; a line "
            "for each keyframe. *Save Video* writes the clip to ComfyUI's output folder, as fast as it came and with "
            "its sound.\n\nLoad your own clip on **Load Video**.",
            (FIRST, 820),
            220,
        ),
        face_hole("lower face", (SECOND, TOP), image=PARTS, track=True),
        complete((THIRD, TOP), HOLE, image=PARTS, emotion="neutral", strength=0.0, track=True),
        keyframes(KEYFRAMES),
        Node(
            "video",
            "CreateVideo",
            (FIFTH, TOP),
            (WIDE, 100),
            {"images": ("keyframes", "images"), "audio": ("parts", "audio"), "fps": ("parts", "fps")},
        ),
        Node(
            "film",
            "SaveVideo",
            (FIFTH, 220),
            (WIDE, 480),
            {"video": ("video", "VIDEO")},
            {"filename_prefix": "clip"},
        ),
        Node("frames", "PreviewImage", (FIFTH, 760), (WIDE, 400), {"images": ("keyframes", "images")}),
    ),
    shows="frames",
)
