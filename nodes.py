"""The nodes: schema and a short execute each. Ids are for ever; inputs are only ever appended.

Saved workflows keep widget values by position, so the order of the inputs below is part of the file format. Only
keywords that ComfyUI 0.3.64 knows are used: an unknown one would keep the whole pack from loading.
"""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io, ui

from comfy_ecgan import models, portraits
from comfy_ecgan.sockets import LatentSocket, ModelSocket, VectorSocket

CATEGORY = "ECGAN"
FACE_TOOLTIP = (
    "Where the face is. auto: find it in the picture. whole image: the picture already is a face crop, upright and "
    "centred."
)


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
                    tooltip="Number format of the weights. auto: fp16 where your graphics card is good at it, else "
                    "fp32, which is the most exact.",
                ),
            ],
            outputs=[
                ModelSocket.Output(
                    "ecgan_model", display_name="model", tooltip="The loaded model, for the other ECGAN nodes."
                )
            ],
        )

    @classmethod
    def execute(cls, model: str, precision: str = "auto") -> io.NodeOutput:
        return io.NodeOutput(models.load_model(model, precision))

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
                    "on the Load Image node.",
                ),
                io.Combo.Input(
                    "emotion",
                    options=[portraits.AS_SUGGESTED, *models.installed_emotions()],
                    default=portraits.AS_SUGGESTED,
                    tooltip="The emotion of the completed face. 'as the face suggests' reads it from the visible part. "
                    "Lists the emotions of all installed models.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=2.0,
                    step=0.05,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="How strong the emotion is: 0 is neutral, 1 as the model learned it, above 1 exaggerated.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="The same seed gives the same face on every machine. Further samples count on from it.",
                ),
                io.Int.Input(
                    "samples", default=1, min=1, max=64, tooltip="How many different completions of each picture."
                ),
                io.Float.Input(
                    "variation",
                    default=1.0,
                    min=0.0,
                    max=2.0,
                    step=0.05,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="How far samples stray from the likeliest face: at 0 all are that one.",
                ),
                io.Combo.Input("face", options=portraits.FACES, default=portraits.FACES[0], tooltip=FACE_TOOLTIP),
                io.Int.Input(
                    "feather",
                    default=8,
                    min=0,
                    max=256,
                    tooltip="Pixels over which the filling blends in, counted inwards from the edge of the mask.",
                ),
                io.String.Input(
                    "face_box",
                    default="",
                    optional=True,
                    placeholder="x, y, width, height",
                    tooltip="Your own box around the face, in pixels: x, y, width, height. One line for each picture, "
                    "or one for all. It wins over 'face'; leave it empty otherwise.",
                ),
            ],
            outputs=[
                io.Image.Output("completed", display_name="image", tooltip="The completed pictures."),
                LatentSocket.Output("latent", display_name="latent", tooltip="The completed faces, for Shift Emotion."),
                io.Mask.Output("changed", display_name="changed", tooltip="White where pixels may have changed."),
            ],
        )

    @classmethod
    def execute(cls, model, image, mask, emotion, strength, seed, samples, variation, face, feather, face_box=""):
        latent, changed = portraits.complete(
            model,
            image,
            mask,
            emotion=emotion,
            strength=strength,
            seed=seed,
            samples=samples,
            variation=variation,
            face=face,
            feather=feather,
            face_box=face_box,
        )
        return io.NodeOutput(latent.image, latent, changed, ui=ui.PreviewImage(latent.image, cls=cls))


class EmotionShift(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        emotions = models.installed_emotions(neutral=False) or [portraits.NO_EMOTION]
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
                VectorSocket.Input(
                    "vector",
                    optional=True,
                    tooltip="The emotion to move along, from Build Emotion Vector. Not connected: the 'emotion' below.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-2.0,
                    max=2.0,
                    step=0.05,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="Above 0 toward the emotion, below 0 away from it; at 0 the pictures stay the same.",
                ),
                io.Combo.Input(
                    "emotion",
                    options=emotions,
                    default=emotions[0],
                    optional=True,
                    tooltip="One of the model's own emotions; used only while no vector is connected.",
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
    def execute(cls, model, latent, strength, vector=None, emotion=None) -> io.NodeOutput:
        shifted = portraits.shift(model, latent, vector=vector, emotion=emotion, strength=strength)
        return io.NodeOutput(shifted.image, shifted, ui=ui.PreviewImage(shifted.image, cls=cls))


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
                io.Combo.Input("face", options=portraits.FACES, default=portraits.FACES[0], tooltip=FACE_TOOLTIP),
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
    def execute(cls, model, images, name, face=portraits.FACES[0], neutral_images=None) -> io.NodeOutput:
        vector, report = portraits.build_vector(model, images, neutral_images, name=name, face=face)
        return io.NodeOutput(vector, report)


class ECGANExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        models.register_folder()
        return [LoadECGAN, MaskedFaceComplete, EmotionShift, EmotionVectorBuild]
