"""The judge: an emotion network for measuring only, which no training run ever sees.

Another architecture than Q (strided BatchNorm) and φ (residual BatchNorm): densely connected, GroupNorm, SiLU, max
pooling. It learns from real pictures of the training identities, never from a generated one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgan_core.files import read_header, read_tensors, write_tensors
from ecgan_core.losses import emotion_cross_entropy

from .config import TrainConfig
from .data import FaceSet, augment, draw, step_generator, to_float

KIND = "an emotion judge"
JUDGE_SEED = 2_000_003  # added to the run's: the judge must not learn in the order that the run did


class DenseStage(nn.Module):
    """Layers that each add `growth` channels to all that came before, then a halving of channels and resolution."""

    def __init__(self, channels: int, growth: int, layers: int):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(4, channels + i * growth),
                nn.SiLU(),
                nn.Conv2d(channels + i * growth, growth, 3, padding=1),
            )
            for i in range(layers)
        )
        self.out_channels = (channels + layers * growth) // 2
        self.transition = nn.Conv2d(channels + layers * growth, self.out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return F.avg_pool2d(self.transition(x), 2)


class Judge(nn.Module):
    """Emotion logits [B,m] of faces [B,3,S,S] in −1..1."""

    def __init__(self, num_emotions: int, growth: int = 16, layers: int = 4, stages: int = 3):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 5, stride=2, padding=2)
        channels, blocks = 32, []
        for _ in range(stages):
            blocks.append(DenseStage(channels, growth, layers))
            channels = blocks[-1].out_channels
        self.stages = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.GroupNorm(4, channels), nn.SiLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten())
        self.emotion = nn.Linear(channels, num_emotions)

    def forward(self, face: Tensor) -> Tensor:
        return self.emotion(F.dropout(self.head(self.stages(self.stem(face))), 0.2, self.training))


def train_judge(
    faces: FaceSet, config: TrainConfig, images: int = 30_000, batch: int = 32, say: Callable[[str], None] = print
) -> Judge:
    """A judge taught on `faces`, with the same augmentation as training."""
    torch.manual_seed(config.seed + JUDGE_SEED)
    judge = Judge(len(config.emotions))
    steps = images // batch
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for step in range(steps):
        generator = step_generator(config.seed + JUDGE_SEED, step)
        index = draw(faces, batch, generator)
        label = F.one_hot(faces.emotion[index], len(config.emotions)).float()
        loss = emotion_cross_entropy(judge(augment(to_float(faces.faces[index]), generator)), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % max(1, steps // 10) == 0:
            say(f"judge {(step + 1) * batch:>7,} images  loss {loss.item():.3f}")
    return judge.eval()


@torch.no_grad()
def judge_emotions(judge: Judge, faces: Tensor) -> Tensor:
    """The emotion [N] that the judge names for each face [N,3,S,S]."""
    return torch.cat([judge(part).argmax(1) for part in faces.split(128)])


def load_judge(path: Path, emotions: tuple[str, ...]) -> Judge:
    """The judge saved by `save_judge`.

    Raises:
        ValueError: it was taught other emotions than `emotions`.
    """
    known = read_header(path, KIND).metadata.get("emotions", "").split("\n")
    if known != list(emotions):
        raise ValueError(f"the judge {path} knows {', '.join(known)}, not {', '.join(emotions)}; give another --judge")
    judge = Judge(len(emotions))
    judge.load_state_dict(read_tensors(path, KIND))
    return judge.eval()


def save_judge(judge: Judge, path: Path, emotions: tuple[str, ...]) -> None:
    """Write the judge's weights and emotion names, atomically."""
    write_tensors(path, judge.state_dict(), {"emotions": "\n".join(emotions)})
