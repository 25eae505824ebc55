"""Ways to move a completed face towards an emotion: along z_e, as the method has it, and along the whole of z.

InterFaceGAN (Shen et al. 2020), which the method builds on, looks for an emotion as a direction of the whole latent
space. Here such a direction goes from the mean posterior latent of neutral faces to that of the same people with an
emotion, and the code stays neutral.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ecgan_core.emotions.codes import replicate
from ecgan_core.emotions.vectors import EmotionVector
from ecgan_core.files.latents import FaceLatent
from ecgan_core.pipeline import ECGANPipeline

from ..data.faces import FaceSet

Edit = Callable[[FaceLatent, str, float], FaceLatent]  # a neutral completion, an emotion and α → its latent, moved
LEARNT_FROM = 1_000  # pictures that the directions of the whole z are fitted to
AT_ONCE = 64


def along_vector(pipeline: ECGANPipeline) -> Edit:
    """z_e + α (z_e^i − z_e^neutral): the method's, and the product's."""
    return lambda latent, emotion, alpha: pipeline.shift(latent, pipeline.vector(emotion), alpha)


def other_ways(pipeline: ECGANPipeline, faces: FaceSet) -> dict[str, Edit]:
    """What one could do instead with the same model, by name; `faces` are those that it was trained on."""
    codes, names = pipeline.generator.emotion_codes.float(), pipeline.emotion_set.names
    fingerprint, directions = pipeline.fingerprint, latent_directions(pipeline, faces)

    def without_origin(latent: FaceLatent, emotion: str, alpha: float) -> FaceLatent:
        code = codes[names.index(emotion)]
        return pipeline.shift(latent, EmotionVector(emotion, code, fingerprint), alpha)

    def whole_latent(latent: FaceLatent, emotion: str, alpha: float) -> FaceLatent:
        return replace(latent, z=latent.z + alpha * directions[names.index(emotion)].to(latent.z))

    def whole_latent_as_far(latent: FaceLatent, emotion: str, alpha: float) -> FaceLatent:
        direction = directions[names.index(emotion)]
        # z_e is the same at every place of z, so that v moves z' by its own length at each of them.
        far = pipeline.vector(emotion).direction.norm() * direction[0].numel() ** 0.5
        return whole_latent(latent, emotion, alpha * (far / direction.norm().clamp(min=1e-9)).item())

    return {
        "z_e along z_e^i, without the origin": without_origin,
        "all of z, from mean to mean": whole_latent,
        "all of z, as far as v goes": whole_latent_as_far,
    }


@torch.no_grad()
def latent_directions(pipeline: ECGANPipeline, faces: FaceSet) -> Tensor:
    """Mean posterior latent of each emotion's faces minus that of the neutral ones, [m,d,h,w] on the CPU.

    Of people who were pictured with every emotion, where there are any: else a direction would be from ones to others.
    """
    names = pipeline.emotion_set.names
    index = torch.arange(len(faces))
    if (complete := (faces.pair[:, : len(names)] >= 0).all(dim=1)).any():
        index = index[complete]
    index = index[torch.randperm(len(index), generator=torch.Generator().manual_seed(0))[:LEARNT_FROM]]
    device = pipeline.generator.emotion_codes.device
    means = [pipeline.encoder.posterior(faces.pick(part, device)).mean.float().cpu() for part in index.split(AT_ONCE)]
    z, emotion = torch.cat(means), faces.emotion[index]
    centre = z.mean(dim=0)  # of an emotion that nobody wears
    mean = torch.stack([z[emotion == i].mean(0) if (emotion == i).any() else centre for i in range(len(names))])
    return mean - mean[names.index(pipeline.emotion_set.neutral)]


def vector_length(pipeline: ECGANPipeline) -> float:
    """Mean length of the vectors of all emotions, as a share of what those of plain labels have."""
    names, neutral = pipeline.emotion_set.names, pipeline.emotion_set.neutral
    labels = replicate(torch.eye(len(names)), pipeline.generator.emotion_codes.shape[1])
    others = [i for i, name in enumerate(names) if name != neutral]
    recorded = torch.stack([pipeline.vector(names[i]).direction for i in others])
    plain = labels[others] - labels[names.index(neutral)]
    return (recorded.norm(dim=1).mean() / plain.norm(dim=1).mean()).item()
