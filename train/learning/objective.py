"""The whole objective: what E and G minimise, and what D and Q minimise. The equations are in `train.learning.losses`.

Both are modules whose `forward` is one training pass, so that Accelerate may wrap them for several processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgan_core.emotions.codes import replicate
from ecgan_core.networks.discriminator import Discriminator
from ecgan_core.networks.encoder import DiagonalGaussian, Encoder
from ecgan_core.networks.generator import Generator, composite

from ..config import LossWeights, TrainConfig
from ..data.light import luminance
from . import losses
from .chance import Chance
from .judges.features import FeatureNetwork, emotion_loss, read_emotions
from .judges.imagenet import ImageNetFeatures
from .judges.projected import ProjectedDiscriminator
from .judges.teacher import Teacher
from .processes import weight_share


@dataclass
class Batch:
    """One step's data, on the device."""

    face: Tensor  # [B,3,S,S] in −1..1
    hole: Tensor  # [B,1,S,S], 1 = to fill
    label: Tensor  # c_t [B,m], the truth that Q learns
    own: Tensor  # [B,m]: what the reconstructive path is fed; `label`, or Q's reading of the face
    wanted: Tensor  # [B,m]: what the generative path is asked for; `own`, but for some items another emotion
    asked: Tensor  # [B,m]: what it is fed for that; `wanted`, but for some items more than its full strength
    truth: Tensor  # [B,3,S,S]: what it should find: `face`, in the hole the same person's with the wanted emotion
    known: Tensor  # [B], 1 where there is such a truth, and a half where that is of less than the strength asked for
    natural: Tensor  # [B]: `known`, but 1 also for an expression that photographs wear, whose judge can tell
    chance: Chance  # the step's random numbers; nothing draws from elsewhere, or processes would differ
    corner: Tensor | None = None  # [B,2]: y, x of the crop that is trained on, see `detail`


@dataclass
class Judges:
    """The networks that judge what E and G draw. The last three are there if the recipe gives their losses a weight."""

    discriminator: Discriminator
    features: FeatureNetwork
    imagenet: ImageNetFeatures | None = None
    projected: ProjectedDiscriminator | None = None
    teacher: Teacher | None = None


class Drawn(NamedTuple):
    """What E and G drew in a step, for the discriminators to learn from."""

    composites: Tensor  # [2B,3,S,S]: the rebuilt faces, then the guessed ones
    maps: list[Tensor]  # `ImageNetFeatures` [2B,…] of the truths, then of the guessed faces; empty without a judge


class CompletionObjective(nn.Module):
    """E and G: both paths of the method.

    *Reconstructive*: z from the whole face's posterior, its own emotion. *Generative*: z from the visible part's prior,
    the wanted emotion. `forward` returns the terms of L, unweighted, and what the discriminators are to judge.
    """

    def __init__(self, encoder: Encoder, generator: Generator, config: TrainConfig):
        super().__init__()
        self.encoder, self.generator, self.config = encoder, generator, config

    def forward(
        self,
        batch: Batch,
        judges: Judges,
        second_opinion: bool,
        diverse: bool = False,
    ) -> tuple[dict[str, Tensor], Drawn]:
        """`diverse` adds a second sample for the diversity loss, and leaves the prior's spread to the KL alone."""
        face, hole, features = batch.face, batch.hole, judges.features
        visible = self._grained(face, batch.chance) * (1 - hole)
        encoded, posterior = self.encoder.both(face, hole, visible)
        channels = self.generator.config.latent_channels

        own, asked = replicate(batch.own, channels), replicate(batch.asked, channels)
        rebuilt = self.generator(
            posterior.sample(batch.chance.normal_like(posterior.mean)), own, encoded.features, visible, hole
        )
        # What is drawn from the prior is compared with one truth, which would narrow it to a point.
        prior = encoded.prior if not diverse else DiagonalGaussian(encoded.prior.mean, encoded.prior.std.detach())
        z = prior.sample(batch.chance.normal_like(prior.mean))
        if judges.teacher is not None:  # half of the faces are the likeliest; samples are to differ from what it draws
            likeliest = batch.chance.uniform(len(face)).to(face) < 0.5
            z = torch.where(likeliest[:, None, None, None], prior.mean, z)
        guessed = self.generator(z, asked, encoded.features, visible, hole)
        rebuilt, guessed = [i.float() for i in rebuilt], [i.float() for i in guessed]
        composites = torch.cat([composite(face, rebuilt[-1], hole), composite(face, guessed[-1], hole)])

        weight = self._weight_of_guess(batch)
        terms = {
            "kl": losses.kl_divergence(posterior, losses.hole_prior(posterior, hole))
            + losses.kl_divergence(posterior, encoded.prior),
            "appearance": losses.appearance(rebuilt, face, torch.ones_like(hole))
            + losses.appearance(guessed, batch.truth, weight),
            "chroma": losses.chroma(rebuilt[-1], face, torch.ones_like(hole))
            + losses.chroma(guessed[-1], batch.truth, weight),
        }
        if self.config.uses("palette"):
            terms["palette"] = losses.palette(guessed[-1], batch.truth, hole) * weight_share(hole)
        if self.config.uses("shades"):
            terms["shades"] = losses.shades(guessed[-1], batch.truth, hole, batch.known)
        if judges.teacher is not None:
            terms["mirrored"] = self._mirrored(batch, guessed[-1], likeliest, judges.teacher)
        with torch.no_grad():
            target = features(face)
            wanted_target = target if batch.truth is face else features(batch.truth)
        maps = features(composites)
        keep = torch.cat([torch.ones_like(batch.known), batch.known])
        both_targets = [torch.cat(pair) for pair in zip(target, wanted_target, strict=True)]
        perceptual = losses.perceptual_l1 if self.config.perceptual_loss == "l1" else losses.perceptual
        terms["perceptual"] = 2 * perceptual(maps, both_targets, keep)
        terms["mutual_information"] = self._mutual_information(
            batch, composites, maps, judges.discriminator, features, second_opinion
        )
        if diverse:
            again = self.generator(
                prior.sample(batch.chance.normal_like(prior.mean)), asked, encoded.features, visible, hole
            )[-1].float()
            other = features(composite(face, again, hole))
            terms["diversity"] = losses.diversity([m[len(face) :] for m in maps], other, target, hole)
        holes = torch.cat([hole, hole])
        realness = judges.discriminator(*jitter(composites, holes, batch.chance))
        weight = losses.patch_weight(holes, realness)
        terms["adversarial"] = losses.adversarial_generator(realness, weight) * weight_share(weight)
        natural, seen = natural_terms(judges, composites[len(face) :], batch)
        return terms | natural, Drawn(composites.detach(), seen)

    def _grained(self, face: Tensor, chance: Chance) -> Tensor:
        """Faces as a camera would have taken them: with grain, of another strength on each."""
        if not self.config.grain:
            return face
        grain = chance.normal(*face[:, :1].shape) * chance.uniform(len(face), 1, 1, 1)
        return (face + 2 * self.config.grain * grain.to(face.device, non_blocking=True)).clamp(-1, 1)

    def _weight_of_guess(self, batch: Batch) -> Tensor:
        """How much each pixel of the guessed face counts, [B,1,S,S]: in the hole only where there is a truth, and the
        more, the more the wanted expression moves. Of a smile few pixels are teeth and folds; most stay as they were.
        """
        moved = (batch.truth - batch.face).abs().mean(dim=1, keepdim=True)
        inside = batch.known[:, None, None, None] * self.config.prior_hole_weight
        return 1 - batch.hole + batch.hole * inside * (1 + self.config.moved_weight * moved)

    def _mirrored(self, batch: Batch, guessed: Tensor, likeliest: Tensor, teacher: Teacher) -> Tensor:
        """What those of the guessed faces that are the `likeliest` [B] lack of the teacher's, who draws no others."""
        if not likeliest.any():
            return guessed.new_zeros(())
        face, hole, truth, known = (t[likeliest] for t in (batch.face, batch.hole, batch.truth, batch.known))
        due = teacher(face, hole, self._louder(batch)[likeliest])
        heard = hole * losses.nearer(due, guessed[likeliest], truth, hole, known)
        return losses.mirrored(guessed[likeliest], due, heard) * likeliest.float().mean()

    def _louder(self, batch: Batch) -> Tensor:
        """What the teacher is asked for: `asked`, but where there is no truth for it `louder` times as strong."""
        neutral = F.one_hot(torch.tensor(self.config.emotions.index(self.config.neutral)), batch.asked.shape[1])
        strength = torch.where(batch.known[:, None] > 0, 1.0, self.config.louder)
        return torch.lerp(neutral.to(batch.asked), batch.asked, strength)

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
            moved, whole = jitter(composites[half:], torch.zeros_like(batch.hole), batch.chance)
            logits = discriminator.emotion_logits(luminance(moved).expand(-1, 3, -1, -1), whole)
        known = batch.known
        weight = known + self.config.mi_unknown * (1 - known)
        return losses.mutual_information(logits, batch.wanted, self.config.mi_enough, weight)


def natural_terms(judges: Judges, guessed: Tensor, batch: Batch) -> tuple[dict[str, Tensor], list[Tensor]]:
    """What the networks of photographs say of guessed faces [B,3,S,S], and their maps of the truths and of those.

    Held against a truth only where there is one. Judged by patches also where photographs wear the expression that was
    asked for: hardly any scowls, and who compares with photographs would take every scowl for a forgery.
    """
    if judges.imagenet is None:
        return {}, []
    with torch.no_grad():
        target = judges.imagenet(batch.truth)
    maps = judges.imagenet(guessed)
    terms = {"imagenet": losses.perceptual(maps, target, batch.known)}
    if judges.projected is not None:
        realness = judges.projected(maps, batch.hole)
        weights = [_natural_patches(batch, patches) for patches in realness]
        terms["projected"] = torch.stack(
            [
                losses.adversarial_generator(patches, weight) * weight_share(weight)
                for patches, weight in zip(realness, weights, strict=True)
            ]
        ).mean()
    return terms, [torch.cat([t, m.detach()]) for t, m in zip(target, maps, strict=True)]


def _natural_patches(batch: Batch, patches: Tensor) -> Tensor:
    return losses.patch_weight(batch.hole, patches) * batch.natural[:, None, None, None]


class DiscriminatorObjective(nn.Module):
    """D against the composites, the projected one likewise, and Q on the real faces' labels."""

    def __init__(
        self, discriminator: Discriminator, config: TrainConfig, projected: ProjectedDiscriminator | None = None
    ):
        super().__init__()
        self.discriminator, self.config, self.projected = discriminator, config, projected

    def forward(self, batch: Batch, drawn: Drawn) -> dict[str, Tensor]:
        logits = read_emotions(self.discriminator, batch.face, self.config, batch.chance)
        terms = {
            "discriminator": told_apart(self.discriminator, batch, drawn.composites),
            "emotion": emotion_loss(logits, batch.label, self.config),
        }
        if self.projected is not None:
            terms["projector"] = projected_loss(self.projected, batch, drawn.maps)
        return terms


def projected_loss(projected: ProjectedDiscriminator, batch: Batch, maps: list[Tensor]) -> Tensor:
    """The projected discriminator's loss: truths against guessed faces, the mean over its sizes."""
    total = []
    for patches in projected(maps, torch.cat([batch.hole, batch.hole])):
        real, generated = patches.chunk(2)
        weight = _natural_patches(batch, real)
        total.append(losses.adversarial_discriminator(real, generated, weight) * weight_share(weight))
    return torch.stack(total).mean()


def told_apart(discriminator: Discriminator, batch: Batch, composites: Tensor) -> Tensor:
    """D's loss: real faces against both composites of each."""
    real = discriminator(*jitter(batch.face, batch.hole, batch.chance))
    generated = discriminator(*jitter(composites, torch.cat([batch.hole, batch.hole]), batch.chance))
    weight = losses.patch_weight(batch.hole, real)
    adversarial = losses.adversarial_discriminator(real, generated[: len(real)], weight)
    adversarial = adversarial + losses.adversarial_discriminator(real, generated[len(real) :], weight)
    return adversarial * weight_share(weight)


def jitter(image: Tensor, hole: Tensor, chance: Chance) -> tuple[Tensor, Tensor]:
    """Move image and hole together by up to 1/32 of the side and change the image's light, differentiably.

    Shown only moved and re-lit pictures, D and Q cannot hold on to single pixels (DiffAugment, Zhao et al. 2020).
    """
    side = image.shape[-1]
    reach = max(1, side // 32)
    dy, dx = chance.whole_numbers(2 * reach + 1, 2)
    both = F.pad(torch.cat([image, hole], dim=1), (reach,) * 4, mode="replicate")
    both = both[..., dy : dy + side, dx : dx + side]
    gain, offset = chance.normal(len(image), 2, 1, 1, 1).clamp(-2, 2).to(image).unbind(1)
    return both[:, :3] * (1 + 0.1 * gain) + 0.1 * offset, both[:, 3:]


def weigh(terms: dict[str, Tensor], weights: LossWeights, adversarial_share: float = 1.0) -> Tensor:
    """L = Σ λ_i L_i over E's and G's terms; `adversarial_share` ramps the adversarial ones."""
    scale = {"adversarial": adversarial_share, "projected": adversarial_share}
    return torch.stack([getattr(weights, name) * scale.get(name, 1.0) * term for name, term in terms.items()]).sum()
