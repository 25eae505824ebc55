"""The whole objective: what E and G minimise, and what D and Q minimise. The equations are in `ecgan_core.losses`.

Both are modules whose `forward` is one training pass, so that Accelerate may wrap them for several processes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgan_core import losses
from ecgan_core.discriminator import Discriminator
from ecgan_core.emotions import replicate
from ecgan_core.encoder import Encoder
from ecgan_core.generator import Generator, composite

from .config import TrainConfig
from .features import FeatureNetwork, read_emotions


@dataclass
class Batch:
    """One step's data, on the device."""

    face: Tensor  # [B,3,S,S] in −1..1
    hole: Tensor  # [B,1,S,S], 1 = to fill
    label: Tensor  # c_t [B,m], the truth that Q learns
    own: Tensor  # [B,m]: what the reconstructive path is fed; `label`, or Q's reading of the face
    wanted: Tensor  # [B,m]: what the generative path is asked for; `own`, but for some items another emotion


class CompletionObjective(nn.Module):
    """E and G: both paths of the method.

    *Reconstructive*: z from the whole face's posterior, its own emotion. *Generative*: z from the visible part's prior,
    the wanted emotion. `forward` returns the terms of L, unweighted, and the composites that D is to judge.
    """

    def __init__(self, encoder: Encoder, generator: Generator, config: TrainConfig):
        super().__init__()
        self.encoder, self.generator, self.config = encoder, generator, config

    def forward(
        self, batch: Batch, discriminator: Discriminator, features: FeatureNetwork, second_opinion: bool
    ) -> tuple[dict[str, Tensor], Tensor]:
        face, hole = batch.face, batch.hole
        visible = face * (1 - hole)
        encoded, posterior = self.encoder.both(face, hole)
        channels = self.generator.config.latent_channels

        own, wanted = replicate(batch.own, channels), replicate(batch.wanted, channels)
        rebuilt = self.generator(posterior.sample(), own, encoded.features, visible, hole)
        guessed = self.generator(encoded.prior.sample(), wanted, encoded.features, visible, hole)
        rebuilt, guessed = [i.float() for i in rebuilt], [i.float() for i in guessed]
        composites = torch.cat([composite(face, rebuilt[-1], hole), composite(face, guessed[-1], hole)])

        asked_own = (batch.own == batch.wanted).all(dim=1).float()  # 1 where the ground truth wears the wanted emotion
        inside = asked_own[:, None, None, None] * self.config.prior_hole_weight * hole
        weight = 1 - hole + inside
        terms = {
            "kl": losses.kl_divergence(posterior, losses.hole_prior(posterior, hole))
            + losses.kl_divergence(posterior, encoded.prior),
            "appearance": losses.appearance(rebuilt, face, torch.ones_like(hole))
            + losses.appearance(guessed, face, weight),
            "chroma": losses.chroma(rebuilt[-1], face, torch.ones_like(hole))
            + losses.chroma(guessed[-1], face, weight),
        }
        with torch.no_grad():
            target = features(face)
        maps = features(composites)
        keep = torch.cat([torch.ones_like(asked_own), asked_own])
        terms["perceptual"] = 2 * losses.perceptual(maps, [torch.cat([t, t]) for t in target], keep)
        terms["mutual_information"] = self._mutual_information(
            batch, composites, maps, discriminator, features, second_opinion
        )
        holes = torch.cat([hole, hole])
        realness = discriminator(*jitter(composites, holes))
        terms["adversarial"] = losses.adversarial_generator(realness, losses.patch_weight(holes, realness))
        return terms, composites.detach()

    def _mutual_information(
        self,
        batch: Batch,
        composites: Tensor,
        maps: list[Tensor],
        discriminator: Discriminator,
        features: FeatureNetwork,
        second_opinion: bool,
    ) -> Tensor:
        """Q's reading of the guessed faces; every other step φ's instead, so that no pattern can please just one."""
        half = len(batch.face)
        if second_opinion:
            logits = features.emotion_logits([m[half:] for m in maps])
        else:
            moved, whole = jitter(composites[half:], torch.zeros_like(batch.hole))
            logits = discriminator.emotion_logits(losses.luminance(moved).expand(-1, 3, -1, -1), whole)
        return losses.mutual_information(logits, batch.wanted, self.config.mi_enough)


class DiscriminatorObjective(nn.Module):
    """D against the composites, and Q on the real faces' labels."""

    def __init__(self, discriminator: Discriminator, config: TrainConfig):
        super().__init__()
        self.discriminator, self.config = discriminator, config

    def forward(self, batch: Batch, composites: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        real = self.discriminator(*jitter(batch.face, batch.hole))
        generated = self.discriminator(*jitter(composites, torch.cat([batch.hole, batch.hole])))
        weight = losses.patch_weight(batch.hole, real)
        logits = read_emotions(self.discriminator, batch.face, self.config, generator)
        emotion = losses.emotion_l1 if self.config.emotion_loss == "l1" else losses.emotion_cross_entropy
        return {
            "discriminator": losses.adversarial_discriminator(real, generated[: len(real)], weight)
            + losses.adversarial_discriminator(real, generated[len(real) :], weight),
            "emotion": emotion(logits, batch.label),
        }


def jitter(image: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Move image and hole together by up to 1/32 of the side and change the image's light, differentiably.

    Shown only moved and re-lit pictures, D and Q cannot hold on to single pixels (DiffAugment, Zhao et al. 2020).
    """
    side = image.shape[-1]
    reach = max(1, side // 32)
    dy, dx = (int(i) for i in torch.randint(0, 2 * reach + 1, (2,)))
    both = F.pad(torch.cat([image, hole], dim=1), (reach,) * 4, mode="replicate")
    both = both[..., dy : dy + side, dx : dx + side]
    noise = torch.randn(2, len(image), 1, 1, 1).clamp(-2, 2).to(image)
    return both[:, :3] * (1 + 0.1 * noise[0]) + 0.1 * noise[1], both[:, 3:]


def weigh(terms: dict[str, Tensor], weights: losses.LossWeights, adversarial_share: float = 1.0) -> Tensor:
    """L = Σ λ_i L_i over E's and G's terms; `adversarial_share` ramps the adversarial one."""
    scale = {"adversarial": adversarial_share}
    return torch.stack([getattr(weights, name) * scale.get(name, 1.0) * term for name, term in terms.items()]).sum()
