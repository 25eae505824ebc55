"""Load a model, and fill a masked face with it."""

from __future__ import annotations

from comfy_api.latest import io, ui

from comfy_ecgan import models, portraits
from comfy_ecgan.inputs import checked
from comfy_ecgan.notes import Notes
from comfy_ecgan.sockets import A_WIRE_ALONE, BoxSocket, LatentSocket, ModelSocket
from ecgan_core.completion import Completion

from .common import CATEGORY, face_box_input, face_input, inside_face_input, on_no_face_input, slider, track_input

DEFAULTS = Completion()


class LoadECGAN(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        names = models.checkpoint_names() or [models.NO_MODEL]
        return io.Schema(
            node_id="LoadECGAN",
            display_name="Load EC-GAN Model",
            category=CATEGORY,
            description="Loads a model that completes faces and moves their expression.",
            inputs=[
                io.Combo.Input(
                    "model",
                    options=names,
                    default=names[0],
                    tooltip="A file in ComfyUI/models/ecgan, or the model that comes with this pack.",
                ),
                io.Combo.Input(
                    "precision",
                    options=list(models.PRECISIONS),
                    default="auto",
                    tooltip="Number format of the weights. auto: fp16 where your graphics card is good at it, bf16 "
                    "where your processor is, else fp32, which is the most exact.",
                ),
            ],
            outputs=[
                ModelSocket.Output(
                    "ecgan_model", display_name="model", tooltip="The loaded model, for the other ECGAN nodes."
                )
            ],
        )

    @classmethod
    @checked
    def execute(cls, model: str, precision: str = "auto") -> io.NodeOutput:
        return io.NodeOutput(models.load_model(model, precision))

    @classmethod
    def validate_inputs(cls, model: str) -> bool:
        """Left to `load_model`, which knows a name that another system listed; newer servers do not."""
        return True

    @classmethod
    def fingerprint_inputs(cls, model: str | None = None, precision: str | None = None) -> str:
        return models.weights_stamp(model)


class MaskedFaceComplete(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MaskedFaceComplete",
            display_name="Complete Masked Face",
            category=CATEGORY,
            description="Fills the masked part of a face with a new one, wearing the emotion you choose. "
            "Pixels outside the mask stay exactly as they are.",
            is_output_node=True,
            inputs=[
                ModelSocket.Input("model", tooltip="From Load EC-GAN Model."),
                io.Image.Input("image", tooltip="The portrait, of any size; a batch is completed picture by picture."),
                io.Mask.Input(
                    "mask",
                    tooltip="White (1) where the face is to be filled. Paint one with right-click → Open in MaskEditor "
                    "on the Load Image node, or take one from Face Hole.",
                ),
                io.Combo.Input(
                    "emotion",
                    options=[portraits.AS_SUGGESTED, *models.installed_emotions()],
                    default=portraits.AS_SUGGESTED,
                    tooltip="The emotion of the completed face. 'as the face suggests' reads it from the visible part. "
                    "Lists the emotions of all installed models.",
                ),
                slider(
                    "strength",
                    0.0,
                    2.0,
                    DEFAULTS.strength,
                    "How strong the emotion is: 0 is neutral, 1 as the model learned it, above 1 exaggerated.",
                ),
                io.Int.Input(
                    "seed",
                    default=DEFAULTS.seed,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="The same seed gives the same face on every machine. Further samples count on from it.",
                ),
                io.Int.Input(
                    "samples",
                    default=DEFAULTS.samples,
                    min=1,
                    max=64,
                    tooltip="How many different completions of each picture.",
                ),
                slider(
                    "variation",
                    0.0,
                    2.0,
                    DEFAULTS.variation,
                    "How far samples stray from the likeliest face: at 0 all are that one; beyond 1 mouths soon break.",
                ),
                face_input(),
                io.Int.Input(
                    "feather",
                    default=DEFAULTS.feather,
                    min=0,
                    max=256,
                    tooltip="Pixels over which the filling blends in, counted inwards from the edge of the mask. In "
                    "large pictures about 1/30 of the face's width hides the seam: 40 for a face of 1200.",
                ),
                face_box_input(),
                slider(
                    "color_match",
                    0.0,
                    1.0,
                    DEFAULTS.color_match,
                    "How far the broad colour of the filling follows that of the skin around the mask: 0 leaves it as "
                    "drawn, 1 matches it.",
                    optional=True,
                ),
                BoxSocket.Input(
                    "bounding_boxes",
                    optional=True,
                    extra_dict=A_WIRE_ALONE,
                    tooltip="Face boxes from a detector of another pack. They win over 'face', and a typed 'face_box' "
                    "wins over them. Of several, those under the mask are completed.",
                ),
                slider(
                    "texture",
                    0.0,
                    1.0,
                    DEFAULTS.texture,
                    "How much of the pores, stubble and grain of the visible skin the filling gets, where the face is "
                    "larger than the model's pixels: 0 leaves it smooth, 1 matches the skin around.",
                    optional=True,
                ),
                on_no_face_input(
                    "stays as it is, and a note under the node", "in which no face is found or nothing is masked"
                ),
                track_input(),
                inside_face_input(
                    DEFAULTS.inside_face, "For masks that were painted over the jaw; those of Face Hole do already."
                ),
                io.Boolean.Input(
                    "texture_alive",
                    default=DEFAULTS.texture_alive,
                    optional=True,
                    tooltip="In a clip: the filling's pores and grain change from frame to frame, as a camera's grain "
                    "does. Off, they are the same on each frame and hold still.",
                ),
            ],
            outputs=[
                io.Image.Output("completed", display_name="image", tooltip="The completed pictures."),
                LatentSocket.Output("latent", display_name="latent", tooltip="The completed faces, for Shift Emotion."),
                io.Mask.Output("changed", display_name="changed", tooltip="White where pixels may have changed."),
            ],
        )

    @classmethod
    @checked
    def execute(cls, model, image, mask, emotion, face_box="", bounding_boxes=None, **settings) -> io.NodeOutput:
        asked, notes = portraits.asked_for(emotion, **settings), Notes()
        latent, changed = portraits.complete(
            model, image, mask, asked, face_box=face_box, bounding_boxes=bounding_boxes, on_note=notes
        )
        shown = notes.beside(ui.PreviewImage(latent.image, cls=cls))
        return io.NodeOutput(latent.image, latent, changed, ui=shown)
