"""Where the hole goes, without painting."""

from __future__ import annotations

from comfy_api.latest import io, ui

from comfy_ecgan import holes
from comfy_ecgan.inputs import checked
from comfy_ecgan.notes import Notes

from .common import CATEGORY, face_box_input, face_input, inside_face_input, on_no_face_input, track_input


class ECGANFaceHole(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ECGANFaceHole",
            display_name="Face Hole",
            category=CATEGORY,
            description="Finds the face and masks a part of it, so that nobody has to paint.",
            is_output_node=True,
            inputs=[
                io.Image.Input(
                    "image", tooltip="The portrait, of any size; every picture of a batch gets its own mask."
                ),
                io.Combo.Input(
                    "part", options=holes.PARTS, default=holes.PARTS[0], tooltip="The part of the face to be filled."
                ),
                io.Float.Input(
                    "grow",
                    default=0.0,
                    min=-0.5,
                    max=0.5,
                    step=0.05,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="Makes the part larger, or smaller below 0, by this share of its size.",
                ),
                io.Int.Input(
                    "soften",
                    default=0,
                    min=0,
                    max=256,
                    tooltip="Pixels over which the mask fades out, counted inwards from its edge. Complete Masked Face "
                    "has its own 'feather': leave this at 0 for it.",
                ),
                face_input(),
                face_box_input(),
                io.Boolean.Input(
                    "all_faces",
                    default=False,
                    optional=True,
                    tooltip="Mask the part in every face that is found, not in the largest one only. Without effect "
                    "where a face_box or 'whole image' says where the face is.",
                ),
                on_no_face_input("gets an empty mask, and a note under the node"),
                track_input(),
                inside_face_input(True, "Turn it off to let a jaw drop lower than it is."),
            ],
            outputs=[
                io.Mask.Output("mask", display_name="mask", tooltip="White where the face is to be filled."),
            ],
        )

    @classmethod
    @checked
    def execute(cls, image, part, face_box="", **settings) -> io.NodeOutput:
        notes = Notes()
        mask, painted = holes.face_holes(image, part, face_box=face_box, on_note=notes, **settings)
        return io.NodeOutput(mask, ui=notes.beside(*(ui.PreviewImage(one, cls=cls) for one in painted)))
