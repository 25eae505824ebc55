"""Emotions of one's own: build one from pictures, keep it as a file, load it again."""

from __future__ import annotations

from comfy_api.latest import io, ui

from comfy_ecgan import portraits, vector_files
from comfy_ecgan.inputs import checked
from comfy_ecgan.sockets import ModelSocket, VectorSocket

from .common import CATEGORY, face_input, on_no_face_input


class EmotionVectorBuild(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionVectorBuild",
            display_name="Build Emotion Vector",
            category=CATEGORY,
            description="Teaches an emotion of your own from a few photos of faces that show it, for Shift Emotion.",
            inputs=[
                ModelSocket.Input("model", tooltip="From Load EC-GAN Model; the vector fits this model only."),
                io.Image.Input("images", tooltip="Faces that show the emotion, one in each picture of the batch."),
                io.Image.Input(
                    "neutral_images",
                    optional=True,
                    tooltip="Neutral faces, best of the same people. Not connected: the model's own neutral is used.",
                ),
                io.String.Input("name", default="my emotion", tooltip="What to call the emotion."),
                face_input(),
                on_no_face_input("is left out, and the report"),
            ],
            outputs=[
                VectorSocket.Output(
                    "vector",
                    display_name="vector",
                    tooltip="The direction from neutral to the emotion, for Shift Emotion.",
                ),
                io.String.Output(
                    "report",
                    display_name="report",
                    tooltip="How well the vector tells the emotion's faces from neutral ones.",
                ),
            ],
        )

    @classmethod
    @checked
    def execute(
        cls, model, images, name, face=portraits.FACES[0], neutral_images=None, on_no_face="auto"
    ) -> io.NodeOutput:
        vector, report = portraits.build_vector(
            model, images, neutral_images, name=name, face=face, on_no_face=on_no_face
        )
        return io.NodeOutput(vector, report)


class ECGANVectorSave(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ECGANVectorSave",
            display_name="Save Emotion Vector",
            category=CATEGORY,
            description="Keeps an emotion vector as a small file, for Load Emotion Vector and to share.",
            is_output_node=True,
            inputs=[
                VectorSocket.Input("vector", tooltip="From Build Emotion Vector or Mix Emotions."),
                io.String.Input(
                    "filename_prefix",
                    default="my-emotion",
                    tooltip="How the file's name begins; a number is added, so that no file is ever replaced. A '/' "
                    "makes a subfolder. It is saved in ComfyUI/models/ecgan_vectors.",
                ),
            ],
            outputs=[io.String.Output("path", display_name="path", tooltip="Where the file was saved.")],
        )

    @classmethod
    @checked
    def execute(cls, vector, filename_prefix) -> io.NodeOutput:
        path = str(vector_files.save_vector(vector, filename_prefix))
        return io.NodeOutput(path, ui=ui.PreviewText(path))


class ECGANVectorLoad(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        names = vector_files.vector_names() or [vector_files.NO_VECTOR]
        return io.Schema(
            node_id="ECGANVectorLoad",
            display_name="Load Emotion Vector",
            category=CATEGORY,
            description="Loads an emotion vector that Save Emotion Vector kept, or that somebody shared.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=names,
                    default=names[0],
                    tooltip="A file in ComfyUI/models/ecgan_vectors. Press R to list a file that was just saved.",
                ),
                ModelSocket.Input(
                    "model",
                    optional=True,
                    tooltip="The model that the vector is meant for: connected, a vector of another model is refused "
                    "here and not only when it is used.",
                ),
            ],
            outputs=[
                VectorSocket.Output("vector", display_name="vector", tooltip="For Shift Emotion and Emotion Sweep.")
            ],
        )

    @classmethod
    @checked
    def execute(cls, file, model=None) -> io.NodeOutput:
        return io.NodeOutput(vector_files.load_vector(file, model))

    @classmethod
    def validate_inputs(cls, file: str) -> bool:
        """Left to `load_vector`, which knows a name that another system listed; newer servers do not."""
        return True

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, model: object = None) -> str:
        return vector_files.file_stamp(file)
