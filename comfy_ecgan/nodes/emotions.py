"""Move, mix and read the emotion of a face."""

from __future__ import annotations

from comfy_api.latest import io, ui

from comfy_ecgan import portraits
from comfy_ecgan.emotions import keyframes, mixing, reading
from comfy_ecgan.inputs import checked
from comfy_ecgan.notes import Notes
from comfy_ecgan.sockets import KeyframesSocket, LatentSocket, ModelSocket, VectorSocket

from .common import CATEGORY, direction_input, face_input, on_no_face_input, own_emotions, slider


class EmotionShift(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        emotions = own_emotions()
        return io.Schema(
            node_id="EmotionShift",
            display_name="Shift Emotion",
            category=CATEGORY,
            description="Moves the expression of completed faces along an emotion, without drawing another person. "
            "Shifts can be chained.",
            is_output_node=True,
            inputs=[
                ModelSocket.Input("model", tooltip="The model that completed the faces."),
                LatentSocket.Input("latent", tooltip="From Complete Masked Face, or from another shift."),
                direction_input(),
                slider(
                    "strength",
                    -2.0,
                    2.0,
                    1.0,
                    "Above 0 toward the emotion, below 0 away from it; at 0 the pictures stay the same.",
                ),
                io.Combo.Input(
                    "emotion",
                    options=emotions,
                    default=emotions[0],
                    optional=True,
                    tooltip="One of the model's own emotions; used only while no vector is connected.",
                ),
                KeyframesSocket.Input(
                    "over_time",
                    optional=True,
                    tooltip="From Emotion Keyframes: each frame of a clip moves as its time asks for, times "
                    "'strength'; 'vector' and 'emotion' are not used then.",
                ),
            ],
            outputs=[
                io.Image.Output("shifted", display_name="image", tooltip="The pictures with the moved expression."),
                LatentSocket.Output(
                    "shifted_latent", display_name="latent", tooltip="The moved faces, for another shift."
                ),
            ],
        )

    @classmethod
    @checked
    def execute(cls, model, latent, strength, vector=None, emotion=None, over_time=None) -> io.NodeOutput:
        if over_time is not None:
            shifted = keyframes.shift(model, latent, over_time, strength)
        else:
            shifted = portraits.shift(model, latent, vector=vector, emotion=emotion, strength=strength)
        return io.NodeOutput(shifted.image, shifted, ui=ui.PreviewImage(shifted.image, cls=cls))


class ECGANEmotionMix(io.ComfyNode):
    PARTS = 4

    @classmethod
    def define_schema(cls) -> io.Schema:
        emotions = own_emotions()
        pairs: list[io.Input] = []
        for number in range(1, cls.PARTS + 1):
            pairs.append(
                io.Combo.Input(
                    f"emotion_{number}",
                    options=emotions,
                    default=emotions[min(number, len(emotions)) - 1],
                    tooltip=f"Emotion {number} of the mix. The same emotion twice adds up.",
                )
            )
            tooltip = f"How much of emotion {number}: 0 leaves it out, below 0 leads away from it."
            pairs.append(slider(f"weight_{number}", -2.0, 2.0, 1.0 if number == 1 else 0.0, tooltip))
        return io.Schema(
            node_id="ECGANEmotionMix",
            display_name="Mix Emotions",
            category=CATEGORY,
            description="Mixes up to four of the model's emotions into one, such as 0.6 happy + 0.4 sad. "
            "Mixes can be chained.",
            inputs=[
                ModelSocket.Input("model", tooltip="From Load EC-GAN Model; the mix fits this model only."),
                *pairs,
                VectorSocket.Input(
                    "vector", optional=True, tooltip="Another mix or a vector of your own, to be added."
                ),
            ],
            outputs=[
                VectorSocket.Output(
                    "mix", display_name="vector", tooltip="The mix, for Shift Emotion or Emotion Sweep."
                )
            ],
        )

    @classmethod
    @checked
    def execute(cls, model, vector=None, **pairs) -> io.NodeOutput:
        numbers = range(1, cls.PARTS + 1)
        weights = [(pairs[f"emotion_{number}"], pairs[f"weight_{number}"]) for number in numbers]
        return io.NodeOutput(mixing.mix(model, weights, vector))


class ECGANInferEmotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ECGANInferEmotion",
            display_name="Read Emotion",
            category=CATEGORY,
            description="Reads which emotion a face shows, as the model sees it: probabilities and a bar chart.",
            is_output_node=True,
            inputs=[
                ModelSocket.Input("model", tooltip="From Load EC-GAN Model. It knows its own emotions only."),
                io.Image.Input("image", tooltip="The portrait, of any size; a batch is read picture by picture."),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="White (1) where the reader may not look. Not connected or empty: it sees the whole face.",
                ),
                face_input(),
                on_no_face_input("is not read, and a note under the node"),
            ],
            outputs=[
                io.String.Output(
                    "emotions",
                    display_name="emotions",
                    tooltip="The probability of each emotion, the likeliest first; one line for each picture.",
                ),
                io.Image.Output("chart", display_name="chart", tooltip="A bar chart for each picture."),
            ],
        )

    @classmethod
    @checked
    def execute(cls, model, image, face, mask=None, on_no_face="auto") -> io.NodeOutput:
        notes = Notes()
        text, charts = reading.read(model, image, mask, face=face, on_no_face=on_no_face, on_note=notes)
        return io.NodeOutput(text, charts, ui={**notes.beside(ui.PreviewImage(charts, cls=cls)), "text": (text,)})
