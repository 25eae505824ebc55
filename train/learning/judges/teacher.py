"""A run as its own teacher: what is guessed alike from both sides.

Asked for a face and for its mirror image, a model draws two mouths, each crooked in its own way: half of the faces that
it learned from were mirrored, and yet what it guesses depends on the side. The mean of both is nearer to the truth than
either, and soft. A run that is taught by that mean, of its own smoothed weights (Tarvainen and Valpola 2017, Mean
teachers; Laine and Aila 2017 for a mean of several looks), is drawn towards the same from either side, and the more
alike both are, the sharper is their mean. Where there is a truth and the run is nearer to it, the teacher is not heard:
`losses.nearer`.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from ecgan_core.emotions.codes import replicate
from ecgan_core.networks.encoder import Encoder
from ecgan_core.networks.generator import Generator


class Teacher(nn.Module):
    """E and G with the smoothed weights of a run. They learn nothing themselves; `follow` has them keep up."""

    def __init__(self, encoder: Encoder, generator: Generator):
        super().__init__()
        self.encoder, self.generator = deepcopy(encoder), deepcopy(generator)
        self.eval().requires_grad_(False)

    def follow(self, smoothed: EMAModel) -> None:
        """Take the smoothed weights of now, E's and then G's."""
        smoothed.copy_to(self.parameters())

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
