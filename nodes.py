"""The nodes: schema and a short execute each. Ids are for ever; inputs are only ever appended.

Saved workflows keep widget values by position, so the order of a node's inputs is part of the file format. Only
keywords that ComfyUI 0.3.64 knows are used: an unknown one would keep the whole pack from loading.

| module | holds |
|---|---|
| `complete` | load a model, fill a masked face |
| `emotions` | move, mix, sweep and read the emotion of a face |
| `animation` | emotions over time |
| `vectors` | emotions of one's own: build, save and load them |
| `faces` | where the hole goes, without painting |
| `common` | the inputs that several nodes have |
"""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from comfy_ecgan import models, vector_files
from comfy_ecgan.nodes.animation import ECGANEmotionKeyframes, ECGANEmotionSweep
from comfy_ecgan.nodes.complete import LoadECGAN, MaskedFaceComplete
from comfy_ecgan.nodes.emotions import ECGANEmotionMix, ECGANInferEmotion, EmotionShift
from comfy_ecgan.nodes.faces import ECGANFaceHole
from comfy_ecgan.nodes.vectors import ECGANVectorLoad, ECGANVectorSave, EmotionVectorBuild

NODES: list[type[io.ComfyNode]] = [
    LoadECGAN,
    MaskedFaceComplete,
    EmotionShift,
    EmotionVectorBuild,
    ECGANEmotionMix,
    ECGANInferEmotion,
    ECGANEmotionSweep,
    ECGANVectorSave,
    ECGANVectorLoad,
    ECGANFaceHole,
    ECGANEmotionKeyframes,
]


class ECGANExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        models.register_folder()
        vector_files.register_folder()
        return NODES
