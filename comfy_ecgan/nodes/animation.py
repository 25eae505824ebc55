"""Emotions over time: from one strength to another, or from keyframe to keyframe."""

from __future__ import annotations

from comfy_api.latest import io, ui

from comfy_ecgan import portraits
from comfy_ecgan.emotions import keyframes as moving
from comfy_ecgan.inputs import checked
from comfy_ecgan.sockets import KeyframesSocket, LatentSocket, ModelSocket, VectorSocket

from .common import CATEGORY, direction_input, own_emotions, slider

EXAMPLE = "0: neutral\n12: happy\n24: 0.6 happy + 0.4 surprised\n36: neutral"


class ECGANEmotionSweep(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        emotions = own_emotions()
        return io.Schema(
            node_id="ECGANEmotionSweep",
            display_name="Emotion Sweep",
            category=CATEGORY,
            description="Moves the expression of completed faces step by step and gives every step: the frames of an "
            "animation.",
            is_output_node=True,
            inputs=[
                ModelSocket.Input("model", tooltip="The model that completed the faces."),
                LatentSocket.Input("latent", tooltip="From Complete Masked Face or Shift Emotion."),
                direction_input(),
                io.Combo.Input(
                    "emotion",
                    options=emotions,
                    default=emotions[0],
                    tooltip="One of the model's own emotions; used only while no vector is connected.",
                ),
                slider("start", -2.0, 2.0, 0.0, "Strength of the first frame; at 0 it is the picture as it came."),
                slider("end", -2.0, 2.0, 1.0, "Strength of the last frame, or of the turning point of a ping-pong."),
                io.Int.Input("steps", default=9, min=2, max=128, tooltip="Frames from start to end, both included."),
                io.Boolean.Input(
                    "ping_pong",
                    default=False,
                    tooltip="Go back from end to start as well, so that the animation loops without a jump.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "frames",
                    display_name="images",
                    tooltip="All frames as one batch, in order; of several faces, first all of the first one.",
                )
            ],
        )

    @classmethod
    @checked
    def execute(cls, model, latent, emotion, start, end, steps, ping_pong, vector=None) -> io.NodeOutput:
        frames = portraits.sweep(
            model, latent, vector=vector, emotion=emotion, start=start, end=end, steps=steps, ping_pong=ping_pong
        )
        return io.NodeOutput(frames, ui=ui.PreviewImage(frames, cls=cls))


class ECGANEmotionKeyframes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ECGANEmotionKeyframes",
            display_name="Emotion Keyframes",
            category=CATEGORY,
            description="Moves the expression of completed faces over time, from keyframe to keyframe: a still becomes "
            "an animation, and the frames of a clip follow.",
            is_output_node=True,
            inputs=[
                ModelSocket.Input("model", tooltip="The model that completed the faces."),
                LatentSocket.Input(
                    "latent",
                    tooltip="From Complete Masked Face: of one picture, which becomes all frames, or of the frames of "
                    "a clip.",
                ),
                io.String.Input(
                    "keyframes",
                    default=EXAMPLE,
                    multiline=True,
                    tooltip="A line for each: the frame, counted from 0, a colon, and what it shows, such as 12: happy "
                    "0.8 or 24: 0.6 happy + 0.4 sad. What follows a # is a note.",
                ),
                io.Int.Input(
                    "frames",
                    default=0,
                    min=0,
                    max=moving.MOST_FRAMES,
                    tooltip="How many frames. 0: up to the last keyframe, or as many as the clip has.",
                ),
                io.Combo.Input(
                    "easing",
                    options=moving.EASINGS,
                    default="ease",
                    tooltip="The way from one keyframe to the next. linear: evenly. ease: slow at both ends. hold: all "
                    "at once, at the next one.",
                ),
                io.Boolean.Input(
                    "loop",
                    default=False,
                    tooltip="After the last keyframe go back to the first, so that the animation repeats without a "
                    "jump. The frames after the last keyframe are the way back: set 'frames' higher than it.",
                ),
                VectorSocket.Input(
                    "vector",
                    optional=True,
                    tooltip="An emotion from Mix Emotions, Build or Load Emotion Vector; the keyframes call it vector.",
                ),
            ],
            outputs=[
                io.Image.Output("animation", display_name="images", tooltip="All frames as one batch, in order."),
                io.Image.Output("curve", display_name="curve", tooltip="How strong each emotion is over the frames."),
                KeyframesSocket.Output(
                    "over_time",
                    display_name="over_time",
                    tooltip="For Shift Emotion: it moves the frames of another clip in the same way.",
                ),
            ],
        )

    @classmethod
    @checked
    def execute(cls, model, latent, keyframes, frames, easing, loop, vector=None) -> io.NodeOutput:
        images, curve, over_time = moving.animate(
            model, latent, keyframes, frames=frames, easing=easing, loop=loop, vector=vector
        )
        return io.NodeOutput(images, curve, over_time, ui=ui.PreviewImage(curve, cls=cls))

    @classmethod
    def fingerprint_inputs(cls, keyframes: str | None = None, **others: object) -> str:
        return moving.stamp_of_vectors(keyframes)
