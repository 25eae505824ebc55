"""φ, the network whose features the perceptual loss compares, and the warm-up that teaches φ and Q to read faces.

The paper takes VGG. Its weights are a download and ours must not be, so φ is a small residual network of our own,
taught who a face is and what it feels; on luminance, because a φ trained through colour jitter hardly sees chroma.
Its emotion head doubles as the second opinion of the mutual information loss: two architectures are harder to fool.
"""

from __future__ import annotations

import time
from itertools import pairwise

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

from ecgan_core.face.holes import sample_holes
from ecgan_core.networks.discriminator import Discriminator, EmotionHead

from ...config import TrainConfig
from ...data.faces import FaceSet, augment, draw, step_generator, to_float
from ...data.light import luminance
from ...runs.status import FIRST_WORD, duration
from .. import losses
from ..chance import Chance

WARMUP_SEED = 1_000_003  # added to the run's seed: the warm-up must not see the same batches as the run


class ResidualUnit(nn.Module):
    """Two BatchNorm convolutions beside a pooled shortcut; halves the picture."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, 2, 1, bias=False)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(out_channels), nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(h + self.shortcut(F.avg_pool2d(x, 2)))


class FeatureNetwork(nn.Module):
    """φ: feature maps of a face's luminance at S, S/2, S/4 and S/8, with an emotion head on the last."""

    def __init__(self, widths: tuple[int, ...], num_emotions: int, emotion_cells: int = 4):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        self.units = nn.ModuleList(ResidualUnit(a, b) for a, b in pairwise(widths))
        self.emotion_head = EmotionHead(widths[-1], num_emotions, emotion_cells)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Feature maps of an RGB image [B,3,S,S] in −1..1, fine to coarse."""
        maps = [self.stem(luminance(image))]
        for unit in self.units:
            maps.append(unit(maps[-1]))
        return maps

    def emotion_logits(self, maps: list[Tensor]) -> Tensor:
        """Emotion logits [B,m] of `forward`'s feature maps."""
        return self.emotion_head(maps[-1])


def warm_up(
    discriminator: Discriminator,
    features: FeatureNetwork,
    faces: FaceSet,
    config: TrainConfig,
    accelerator: Accelerator,
) -> None:
    """Teach Q (in `discriminator`) and φ on real faces for `config.warmup_images`, then freeze φ.

    Q sees a third of its faces through holes, because it also has to infer the emotion of a visible part, and a third
    of them in grey, because the mutual information loss shows it luminance.
    """
    device = accelerator.device
    identities = faces.identities()
    sizes = config.networks
    identity_head = EmotionHead(sizes.feature_widths[-1], int(identities.max()) + 1, sizes.emotion_cells).to(device)
    batch, steps = 32, max(1, config.warmup_images // 32)
    trained = [*discriminator.parameters(), *features.parameters(), *identity_head.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    started, spoken = time.monotonic(), False
    for step in range(steps):
        generator = step_generator(config.seed + WARMUP_SEED, step)
        index = draw(faces, batch, generator)
        face = augment(to_float(faces.faces[index]), generator, config.mirror, config.light).to(device)
        label = F.one_hot(faces.emotion[index], len(config.emotions)).float().to(device)
        with accelerator.autocast():
            maps = features(face)
            identity_logits = identity_head(maps[-1])
            emotion_logits = features.emotion_logits(maps)
            logits = read_emotions(discriminator, face, config, Chance(generator))
        loss_features = losses.emotion_cross_entropy(emotion_logits, label)
        loss_features = loss_features + 0.5 * F.cross_entropy(identity_logits.float(), identities[index].to(device))
        loss_emotion = emotion_loss(logits, label, config)
        optimizer.zero_grad()
        (loss_features + loss_emotion).backward()
        optimizer.step()
        schedule.step()
        spent = time.monotonic() - started
        first = not spoken and spent > FIRST_WORD
        if (step + 1) % max(1, steps // 10) == 0 or first:
            spoken = True
            right = (logits.argmax(1) == label.argmax(1)).float().mean()
            done = f"warm-up {(step + 1) * batch:>7,} of {steps * batch:,} images  {(step + 1) * batch / spent:.1f}/s"
            left = f"{duration(spent / (step + 1) * (steps - step - 1))} left"
            losses_now = f"φ {loss_features:.3f}  Q {loss_emotion:.3f}  Q right {right:.2f}"
            accelerator.print(f"{done}  {left}  {losses_now}", flush=True)
    features.eval().requires_grad_(False)


def read_emotions(discriminator: Discriminator, face: Tensor, config: TrainConfig, chance: Chance) -> Tensor:
    """Q's logits [B,m] of real faces, a third of them through holes and a third in grey."""
    batch = len(face)
    hole = chance.share(sample_holes(config.holes, batch * chance.processes, face.shape[-1], chance.generator))
    hole = (hole * (chance.uniform(batch, 1, 1, 1) < 1 / 3)).to(face.device)
    grey = (chance.uniform(batch, 1, 1, 1) < 1 / 3).to(face.device)
    seen = torch.where(grey, luminance(face).expand_as(face), face)
    return discriminator.emotion_logits(seen * (1 - hole), hole)


def emotion_loss(logits: Tensor, label: Tensor, config: TrainConfig) -> Tensor:
    """L_emo of Q's logits [B,m] and labels [B,m], in the form that the config names."""
    form = losses.emotion_l1 if config.emotion_loss == "l1" else losses.emotion_cross_entropy
    return form(logits, label)


@torch.no_grad()
def reading_accuracy(discriminator: Discriminator, faces: FaceSet, device: torch.device) -> float:
    """The share of whole faces whose emotion Q names rightly."""
    discriminator.eval()
    right = 0
    for index in torch.arange(len(faces)).split(64):
        face = to_float(faces.faces[index]).to(device)
        read = discriminator.emotion_logits(face, torch.zeros_like(face[:, :1])).argmax(1).cpu()
        right += int((read == faces.emotion[index]).sum())
    return right / len(faces)
