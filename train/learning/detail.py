"""The grown levels alone: what is finer than the pixels of the model that they were grown onto.

That model draws as it did and is not trained, so that nothing it knows of faces and emotions is lost; the new levels
are trained on crops about the hole, which cost a fraction of whole faces. *Reconstructive*: the coarse face is drawn
from the whole face's posterior, near enough to the truth for its detail to be learnt pixel by pixel. *Generative*: from
the prior; there D alone says what detail should be. Neither may change what is coarser than a pixel of the coarse face.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgan_core.emotions.codes import replicate
from ecgan_core.networks.blocks import halved, missing_shares
from ecgan_core.networks.discriminator import Discriminator
from ecgan_core.networks.encoder import Encoder
from ecgan_core.networks.generator import Generator, composite

from ..config import TrainConfig
from . import losses
from .judges.projected import ProjectedDiscriminator
from .objective import Batch, Drawn, Judges, natural_terms, projected_loss, told_apart
from .processes import weight_share


class DetailObjective(nn.Module):
    """E's and G's grown levels. `forward` is as `CompletionObjective`'s, but its composites are of `cropped` faces."""

    def __init__(self, encoder: Encoder, generator: Generator, config: TrainConfig):
        super().__init__()
        self.encoder, self.generator, self.config = encoder, generator, config
        self.requires_grad_(False)
        assert encoder.fine is not None  # a config without grown levels has no detail
        self.fine = encoder.fine
        for module in (self.fine, generator.detail):
            module.requires_grad_(True)

    def forward(self, batch: Batch, judges: Judges, *_: object) -> tuple[dict[str, Tensor], Drawn]:
        """The terms of L, unweighted, and what the discriminators are to judge."""
        visible = batch.face * (1 - batch.hole)
        with torch.no_grad():
            h, image, style = self._coarse_faces(batch, visible)
        fine, _, _ = self.fine(visible, batch.hole)
        drawn, coarse = self._detailed(batch, h, image, style, fine)

        crop = cropped(batch, self.config.detail)
        faces, holes = torch.cat([crop.face] * 2), torch.cat([crop.hole] * 2)
        composites = composite(faces, drawn, holes)
        maps = judges.discriminator.maps(composites, holes)
        with torch.no_grad():
            real = judges.discriminator.maps(crop.face, crop.hole)
        realness = judges.discriminator.realness(maps[-1])
        weight = losses.patch_weight(holes, realness)
        mean = F.avg_pool2d(drawn, 2 ** len(self.generator.detail))
        rebuilt = drawn[: len(crop.face)]
        matching = [apart(m[: len(r)].float(), r.float()) for m, r in zip(maps, real, strict=True)]
        terms = {
            "appearance": F.l1_loss(rebuilt, crop.face) + F.l1_loss(mean, coarse),
            "perceptual": torch.stack(matching).mean(),
            "adversarial": losses.adversarial_generator(realness, weight) * weight_share(weight),
        }
        if self.config.uses("sharpness"):
            truths, keep = torch.cat([crop.face, crop.truth]), torch.cat([torch.ones_like(crop.known), crop.known])
            weight = losses.window_weight(holes, keep)
            terms["sharpness"] = losses.sharpness(composites, truths, weight) * weight_share(weight)
        natural, seen = natural_terms(judges, composites[len(crop.face) :], crop)
        return terms | natural, Drawn(composites.detach(), seen)

    def _coarse_faces(self, batch: Batch, visible: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """G's last features, image and style before its grown levels: of the rebuilt faces, then of the guessed."""
        face, hole = batch.face, batch.hole
        for _ in self.generator.detail:
            visible, hole = halved(visible, hole)
            face = F.avg_pool2d(face, 2)
        trunk = self.encoder.coarse(torch.cat([visible, face]), torch.cat([hole, torch.zeros_like(hole)]))
        seen, whole = zip(*(feature.chunk(2) for feature in trunk), strict=True)
        prior, posterior = self.encoder.prior_head(seen[-1]), self.encoder.posterior_head(whole[-1])
        z = torch.cat([d.sample(batch.chance.normal_like(d.mean)) for d in (posterior, prior)])
        channels = self.generator.config.latent_channels
        code = torch.cat([replicate(batch.own, channels), replicate(batch.asked, channels)])
        both = tuple(torch.cat([feature, feature]) for feature in seen)
        h, images, style = self.generator.draw(z, code, both, torch.cat([hole, hole]), 1)
        return h, images[-1], style

    def _detailed(
        self, batch: Batch, h: Tensor, image: Tensor, style: Tensor, fine: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Crops with detail, float32, and the coarse image's part that each was drawn on."""
        assert batch.corner is not None
        blocks = self.generator.detail
        missing = missing_shares(batch.hole, len(blocks))
        corner, side = torch.cat([batch.corner, batch.corner]), self.config.detail
        h, image = (cut(t, corner, side, len(blocks)) for t in (h, image.float()))
        coarse = image
        for level, block in zip(reversed(range(len(blocks))), blocks, strict=True):
            feature, share = (cut(torch.cat([t, t]), corner, side, level) for t in (fine[level], missing[level]))
            h, image = block(h, image, feature, share, style)
        return image.float(), coarse


def apart(features: Tensor, target: Tensor) -> Tensor:
    """Mean distance of feature maps, as a share of how large the target's are: those of a normalised D are small."""
    return F.l1_loss(features, target) / target.abs().mean().clamp(min=1e-6)


class DetailDiscriminatorObjective(nn.Module):
    """D against crops of composites. Q is that of the model that was grown, and stays as it is."""

    def __init__(
        self, discriminator: Discriminator, config: TrainConfig, projected: ProjectedDiscriminator | None = None
    ):
        super().__init__()
        self.discriminator, self.config, self.projected = discriminator, config, projected
        for part in (discriminator.emotion_trunk, discriminator.emotion_head):
            if part is not None:
                part.requires_grad_(False)  # several processes would wait for its gradients

    def forward(self, batch: Batch, drawn: Drawn) -> dict[str, Tensor]:
        crop = cropped(batch, self.config.detail)
        terms = {"discriminator": told_apart(self.discriminator, crop, drawn.composites)}
        if self.projected is not None:
            terms["projector"] = projected_loss(self.projected, crop, drawn.maps)
        return terms


def cropped(batch: Batch, side: int) -> Batch:
    """A batch whose faces and holes are its crops."""
    assert batch.corner is not None
    face, hole, truth = (cut(whole, batch.corner, side) for whole in (batch.face, batch.hole, batch.truth))
    return replace(batch, face=face, hole=hole, truth=truth)


def cut(pictures: Tensor, corner: Tensor, side: int, level: int = 0) -> Tensor:
    """The crop [B,C,s,s] of each picture [B,C,S,S], of a level 2^level times coarser than corner and side are."""
    side >>= level
    parts = [p[:, y : y + side, x : x + side] for p, (y, x) in zip(pictures, (corner >> level).tolist(), strict=True)]
    return torch.stack(parts).contiguous(memory_format=torch.channels_last)


def corners_near(hole: Tensor, side: int, step: int, generator: torch.Generator) -> Tensor:
    """Corners [B,2] of crops of `side` about a random place in each hole [B,1,S,S], multiples of `step`."""
    size, cells = hole.shape[-1], 16
    share = F.adaptive_avg_pool2d(hole.cpu(), cells).flatten(1) + 1e-6
    cell = torch.multinomial(share, 1, generator=generator)
    place = torch.cat([cell // cells, cell % cells], dim=1) + torch.rand(len(hole), 2, generator=generator)
    corner = (place * size / cells - side / 2).clamp(0, size - side)
    return (corner / step).round().long() * step
