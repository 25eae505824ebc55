"""Asked for half of one emotion and half of another: how near is the face to the same person's picture with both?

A slider at .5 and a mix ask for such codes. The truths are the mixtures that the portrait studio pictures of people who
hold still (`still: true`, `mixtures: true`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ecgan_core.pipeline import ECGANPipeline

from ..data.faces import FaceSet
from . import metrics
from .measure import holes_for

HOLES = ("whole face", "lower face", "mouth")
COMPLETIONS = 20  # of each mixture


@dataclass(frozen=True)
class Halfway:
    """Figures of one kind of hole; L1 is in the hole, 0..255."""

    completions: int
    nearer: float  # share of completions that are nearer to the truth than to the input, by L1
    l1_to_truth: float
    l1_to_input: float


def has_mixtures(faces: FaceSet) -> bool:
    """Whether there is anything to compare with."""
    return bool((faces.pair[:, faces.looks.shape[1] :] >= 0).any())


@torch.no_grad()
def measure_halfway(pipeline: ECGANPipeline, faces: FaceSet, kind: str, variation: float) -> Halfway:
    """Complete faces with each mixture that their people were pictured with; the face's index is the seed."""
    emotions = pipeline.emotion_set.names
    to_truth, to_input = [], []
    for look in range(len(emotions), len(faces.looks)):
        index = sample(faces, look)
        face, truth = faces.pick(index), faces.pick(faces.pair[index, look])
        hole = holes_for(kind, len(index), face.shape[-1])
        first, second = (emotions[int(i)] for i in faces.looks[look].nonzero())
        completed = complete_halfway(pipeline, face, hole, first, second, index.tolist(), variation)
        to_truth.append(metrics.l1_in(completed, truth, hole))
        to_input.append(metrics.l1_in(completed, face, hole))
    truths, inputs = torch.cat(to_truth), torch.cat(to_input)
    return Halfway(len(truths), (truths < inputs).float().mean().item(), truths.mean().item(), inputs.mean().item())


def complete_halfway(
    pipeline: ECGANPipeline, face: Tensor, hole: Tensor, first: str, second: str, seeds: list[int], variation: float
) -> Tensor:
    """z_e = neutral + (v_first + v_second) / 2, as a mix of nodes would make it; faces [B,3,S,S] on the CPU."""
    latent = pipeline.complete(face, hole, emotion=first, strength=0.5, seeds=seeds, variation=variation)
    return pipeline.decode(pipeline.shift(latent, pipeline.vector(second), 0.5)).cpu()


def sample(faces: FaceSet, look: int) -> Tensor:
    """Indices of the first faces in a fixed shuffle whose people were pictured with a look."""
    known = (faces.pair[:, look] >= 0).nonzero()[:, 0]
    return known[torch.randperm(len(known), generator=torch.Generator().manual_seed(0))][:COMPLETIONS]
