"""The model that a run starts from, as the teacher of what it goes on to: what is guessed alike from both sides.

Asked for a face and for its mirror image, a model draws two mouths, each crooked in its own way: half of the faces that
it learned from were mirrored, and yet what it guesses depends on the side. The mean of both is nearer to the truth than
either, and soft. A run that is taught by that mean (Hinton et al. 2015, and Laine and Aila 2017 for a mean of several
looks) draws such a mouth at once, as sharp as its other losses have it. Where there is a truth and the run is nearer to
it by now, the teacher is not heard: `losses.nearer`.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ecgan_core.emotions.codes import replicate
from ecgan_core.files.checkpoint import load_checkpoint

from ..config import ConfigError, TrainConfig


class Teacher(nn.Module):
    """E and G of the checkpoint that a run starts from, which learn nothing.

    Args:
        origin: of the run, as `start_from` tells it.

    Raises:
        ConfigError: the run starts from no checkpoint, or from one of another size or with other emotions, or the file
            is another model now than when the run began.
    """

    def __init__(self, config: TrainConfig, origin: str):
        super().__init__()
        if not config.start_from:
            raise ConfigError("weights.mirrored: it is taught by the model that the run starts from; give start_from")
        finished = load_checkpoint(Path(config.start_from))
        if finished.frame_size != config.networks.image_size or finished.emotion_set.names != config.emotions:
            raise ConfigError(
                f"weights.mirrored: {config.start_from} can't teach networks of another size or other emotions"
            )
        if finished.fingerprint not in origin:
            raise ConfigError(
                f"weights.mirrored: {config.start_from} is another model now than the {origin} that the run began "
                "with; put that one back"
            )
        self.encoder, self.generator = finished.encoder, finished.generator
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, face: Tensor, hole: Tensor, asked: Tensor) -> Tensor:
        """The mean [B,3,S,S] in −1..1 of what it draws likeliest of faces and of their mirror images.

        Args:
            face: [B,3,S,S] in −1..1.
            hole: [B,1,S,S].
            asked: what it is asked for, [B,m], see `Batch`.
        """
        visible, holes = face * (1 - hole), torch.cat([hole, hole.flip(-1)])
        visible = torch.cat([visible, visible.flip(-1)]).contiguous(memory_format=torch.channels_last)
        encoded = self.encoder(visible, holes)
        code = replicate(torch.cat([asked, asked]), self.generator.config.latent_channels)
        [drawn] = self.generator(encoded.prior.mean, code, encoded.features, visible, holes, scales=1)
        one, other = drawn.float().chunk(2)
        return (one + other.flip(-1)) / 2
