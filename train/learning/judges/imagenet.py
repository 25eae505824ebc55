"""Eyes that have seen a million pictures: the first layers of EfficientNet-Lite0, taught to name what photographs show.

φ of `features` knows expressions and the few people of a training set. What looks like skin, hair or teeth is better
asked of a network that was taught on everything: as a distance (Zhang et al. 2018, LPIPS), and as what a discriminator
looks through (Sauer et al. 2021, "Projected GANs Converge Faster").
"""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from ecgan_core.files.tensors import read_tensors

WEIGHTS = Path(__file__).with_name("imagenet.safetensors")
# Kernel, stride, channels out, how often. The first stage does not widen its channels, the others do it sixfold.
STAGES = ((3, 1, 16, 1), (3, 2, 24, 2), (5, 2, 40, 2), (3, 2, 80, 3), (5, 1, 112, 3))
TOLD = (0, 1, 2, 4)  # the last stage of each size
WIDTHS = tuple(STAGES[i][2] for i in TOLD)  # channels of the feature maps


class InvertedResidual(nn.Module):
    """MobileNetV2's block (Sandler et al. 2018), its BatchNorms folded into the convolutions."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, widen: int):
        super().__init__()
        middle = in_channels * widen
        self.expand = nn.Conv2d(in_channels, middle, 1) if widen > 1 else None
        self.depthwise = SameConv2d(middle, middle, kernel, stride, groups=middle)
        self.project = nn.Conv2d(middle, out_channels, 1)
        self.adds = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.expand is None else F.relu6(self.expand(x))
        h = self.project(F.relu6(self.depthwise(h)))
        return x + h if self.adds else h


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's padding: of an even side halved, the far edge gets one more than the near one."""

    def forward(self, input: Tensor) -> Tensor:
        near = (self.kernel_size[0] - self.stride[0]) // 2
        far = self.kernel_size[0] - self.stride[0] - near
        return super().forward(F.pad(input, (near, far, near, far)))


class ImageNetFeatures(nn.Module):
    """EfficientNet-Lite0 down to a sixteenth of the side, frozen; `imagenet.md` tells where its weights are from."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv2d(3, 32, 3, 2)
        self.stages = nn.ModuleList()
        channels = 32
        for number, (kernel, stride, out, repeats) in enumerate(STAGES):
            blocks = []
            for i in range(repeats):
                blocks.append(InvertedResidual(channels, out, kernel, 1 if i else stride, 6 if number else 1))
                channels = out
            self.stages.append(nn.Sequential(*blocks))
        self.load_state_dict({k: v.float() for k, v in read_tensors(WEIGHTS, "ImageNet features").items()})
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Feature maps of an RGB image [B,3,S,S] in −1..1, S a multiple of 16: [B,16,S/2,S/2] to [B,112,S/16,S/16]."""
        x = F.relu6(self.stem(image))
        maps = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in TOLD:
                maps.append(x)
        return maps

    def train(self, mode: bool = True) -> ImageNetFeatures:
        """Frozen: it has no other mode."""
        return super().train(False)
