"""The two networks that see faces: BlazeFace finds them, and the face mesh lays its 468 points over one.

Google published both with MediaPipe (Apache-2.0; `finder.md` beside this file). The modules here are the same graphs in
torch, and a test compares them with the original runtime. Both are made of the blocks of Bazarevsky et al., "BlazeFace:
Sub-millisecond Neural Face Detection on Mobile GPUs", 2019, figure 1.

They run on the CPU in float32 wherever the model runs: a face then has the same frame on every machine, and so small a
network gains nothing from a graphics card.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...files.tensors import read_tensors

WEIGHTS = Path(__file__).with_name("finder.safetensors")
MESH_SIDE = 192  # the side of the picture that the mesh takes
POINTS = 468  # of the mesh
KEYPOINTS = 6  # of the detector: left eye, right eye (as seen in the picture), nose, mouth, and the two ears
STRIDES, ANCHORS = (8, 16), (2, 6)  # of the detector's two maps: pixels from a cell to the next, and answers of each


class Found(NamedTuple):
    """What the detector says of each place of a picture, N of them; in pixels of the picture.

    Args:
        scores: [N], the logit of there being a face.
        boxes: [N,2,2], the middle of its box, and the box's width and height.
        keypoints: [N,6,2], see `KEYPOINTS`.
    """

    scores: Tensor
    boxes: Tensor
    keypoints: Tensor


class Block(nn.Module):
    """A depthwise 3×3 and a pointwise convolution beside a short cut, which gets channels of zeros where it has fewer.

    With stride 2 it halves the picture, and the short cut takes the maxima. TensorFlow pads the far edges only.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, slope: bool = False):
        super().__init__()
        self.stride = stride
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, padding=1 if stride == 1 else 0, groups=inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)
        self.activation = nn.PReLU(outputs) if slope else nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        seen, short = (x, x) if self.stride == 1 else (F.pad(x, (0, 1, 0, 1)), F.max_pool2d(x, 2))
        y = self.pointwise(self.depthwise(seen))
        y[:, : short.shape[1]] += short
        return self.activation(y)


class FaceDetector(nn.Module):
    """BlazeFace, short range: pictures [B,3,H,W] in −1..1, H and W multiples of 16 → what it `Found` in each.

    Made for pictures of 128×128. It is convolutional, so that larger ones show it smaller faces: it sees those whose
    box has a side of 16 to 128 pixels, at any turn, and tells the turn of those turned by up to 75°.
    """

    def __init__(self):
        super().__init__()
        widths = (24, 24, 28, 32, 36, 42, 48, 56, 64, 72, 80, 88)
        halving = (28, 42)  # the inputs of the blocks with stride 2
        self.stem = nn.Conv2d(3, widths[0], 5, 2)
        self.fine = nn.Sequential(*(Block(a, b, 2 if a in halving else 1) for a, b in pairwise(widths)))
        self.coarse = nn.Sequential(Block(88, 96, 2), *(Block(96, 96) for _ in range(4)))
        self.scores = nn.ModuleList([nn.Conv2d(88, ANCHORS[0], 1), nn.Conv2d(96, ANCHORS[1], 1)])
        places = 4 + 2 * KEYPOINTS
        self.places = nn.ModuleList([nn.Conv2d(88, ANCHORS[0] * places, 1), nn.Conv2d(96, ANCHORS[1] * places, 1)])

    def forward(self, pictures: Tensor) -> list[Found]:
        scores, places = self.raw(pictures)
        places = places.unflatten(-1, (-1, 2))  # middle, size, keypoints
        anchors = _anchors(*pictures.shape[-2:])[:, None]
        middles, sizes, keypoints = places.split([1, 1, KEYPOINTS], dim=2)
        boxes = torch.cat([middles + anchors, sizes], dim=2)
        return [Found(*each) for each in zip(scores, boxes, keypoints + anchors, strict=True)]

    def raw(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """What the original graph answers: scores [B,N] and places [B,N,16], these relative to their anchors."""
        x = F.relu(self.stem(F.pad(pictures, (1, 2, 1, 2))))
        fine = self.fine(x)
        coarse = self.coarse(fine)
        scores, places = (
            torch.cat([_rows(head(map_), n) for head, map_, n in zip(heads, (fine, coarse), ANCHORS, strict=True)], 1)
            for heads in (self.scores, self.places)
        )
        return scores[..., 0], places


class FaceMesh(nn.Module):
    """A face, upright, in two thirds of a picture [B,3,192,192] in 0..1 → its points and how sure it is a face.

    The points are [B,468,3]: across and down in pixels of the picture, and depth in the same unit, towards the viewer
    below 0. Sureness [B] is a logit: 20 and more for upright faces, below 10 for nearly all else.
    """

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.PReLU(16))
        self.trunk = nn.Sequential(
            *(Block(16, 16, slope=True) for _ in range(2)),
            *(block for a, b in ((16, 32), (32, 64), (64, 128), (128, 128)) for block in _stage(a, b)),
        )
        self.points = nn.Sequential(*_stage(128, 128), *_head(3 * POINTS))
        self.sureness = nn.Sequential(Block(128, 128, 2, slope=True), *_head(1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        x = self.trunk(self.stem(F.pad(pictures, (0, 1, 0, 1))))
        return self.points(x).flatten(1).unflatten(1, (POINTS, 3)), self.sureness(x).flatten()


class Networks(NamedTuple):
    detector: FaceDetector
    mesh: FaceMesh


@lru_cache(maxsize=1)
def networks() -> Networks:
    """Both networks with their weights, ready to run."""
    tensors = read_tensors(WEIGHTS, "the face finder's weights")
    both = Networks(FaceDetector(), FaceMesh())
    for name, module in both._asdict().items():
        own = {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
        module.load_state_dict({key: value.float() for key, value in own.items()})
        module.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return both


def _stage(inputs: int, outputs: int) -> list[Block]:
    return [Block(inputs, outputs, 2, slope=True), *(Block(outputs, outputs, slope=True) for _ in range(2))]


def _head(outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(128, 32, 1), nn.PReLU(32), Block(32, 32, slope=True), nn.Conv2d(32, outputs, 3)]


def _rows(map_: Tensor, each: int) -> Tensor:
    """What a map [B,each·C,H,W] answers as rows [B,H·W·each,C], in the order of `_anchors`."""
    return map_.permute(0, 2, 3, 1).reshape(len(map_), -1, map_.shape[1] // each)


@lru_cache(maxsize=8)
def _anchors(height: int, width: int) -> Tensor:
    """The middles [N,2] of the cells that the detector's answers are relative to, in pixels."""
    anchors = []
    for stride, each in zip(STRIDES, ANCHORS, strict=True):
        down, across = ((torch.arange(side // stride) + 0.5) * stride for side in (height, width))
        cells = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1).reshape(-1, 2)
        anchors.append(cells.repeat_interleave(each, dim=0))
    return torch.cat(anchors)
