"""Where the face is: finding it, cropping it to the model's frame, and stitching the result back.

The model sees a square *frame* (see `frame`). Geometry only; nothing here knows the networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from .frame import FRAME_BELOW_BOX, FRAME_PER_BOX

SEARCH_SIDES = (512, 1024)  # the picture's longer side when it is searched; the second only if the first finds nothing
SEARCH_MARGIN = 0.12  # added around the picture, so that a face that fills it can still be found
MIN_HITS = 3  # a face is hit by dozens of neighbouring windows, chance by one or two


class NoFaceFound(ValueError):
    """No face could be found in a picture; the text says what to do."""


@dataclass(frozen=True)
class Box:
    """A face, from the top of the forehead to the chin and from cheek to cheek, in pixels of its picture."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self):
        if not (self.width > 0 and self.height > 0):
            raise ValueError(f"a face box must be wider and higher than 0, but it is {self.width:g}×{self.height:g}")


@dataclass(frozen=True)
class Frame:
    """The integer square of a picture that the model sees. It may reach beyond the picture, whose edge is repeated."""

    x: int
    y: int
    side: int

    def inside(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of the part of the frame that lies in a picture of height × width; empty if none does."""
        rows = slice(min(max(self.y, 0), height), max(min(self.y + self.side, height), 0))
        columns = slice(min(max(self.x, 0), width), max(min(self.x + self.side, width), 0))
        return rows, columns


def frame_of_face(box: Box) -> Frame:
    """The model's frame of a face in `box`."""
    size = max(box.width, box.height)
    side = max(1, round(size * FRAME_PER_BOX))
    x = box.x + box.width / 2 - side / 2
    y = box.y + box.height / 2 + FRAME_BELOW_BOX * size - side / 2
    return Frame(round(x), round(y), side)


def frame_of_image(height: int, width: int) -> Frame:
    """The smallest centred square around a whole picture, for pictures that are a face already."""
    side = max(height, width)
    return Frame((width - side) // 2, (height - side) // 2, side)


@lru_cache(maxsize=1)
def _cascade():
    from skimage import data  # a second to import, and only the finder needs it
    from skimage.feature import Cascade

    return Cascade(data.lbp_frontal_face_cascade_filename())


def find_faces(image: np.ndarray) -> list[Box]:
    """Frontal faces in a picture uint8 [H,W,3], the surest first; an empty list if there are none.

    scikit-image's LBP cascade answers with every window that it takes for a face. A real face draws a cloud of them;
    the mean of the cloud is about twice as steady as the cascade's own grouping, and false boxes are rare.
    """
    height, width = image.shape[:2]
    for longer_side in SEARCH_SIDES:
        scale = longer_side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        margin = round(SEARCH_MARGIN * longer_side)
        small = np.pad(small, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
        found = _cascade().detect_multi_scale(
            small,
            scale_factor=1.1,
            step_ratio=1.0,
            min_size=(40, 40),
            max_size=small.shape[:2],
            min_neighbor_number=1,
            intersection_score_threshold=1.1,  # above 1: never merge, we do that better
        )
        windows = np.array([(w["c"], w["r"], w["width"]) for w in found], dtype=float).reshape(-1, 3)
        if groups := _group(windows):
            return [
                Box((x - margin) / scale, (y - margin) / scale, side / scale, side / scale)
                for x, y, side in (group.tolist() for group in groups)
            ]
    return []


def _group(windows: np.ndarray) -> list[np.ndarray]:
    """Means of the clouds of square windows [N,3] (x, y, side), the most populous first.

    Take the window with the most neighbours, answer with their mean, drop all that overlaps it, and go on.
    """
    groups = []
    while len(windows):
        areas = windows[:, 2] ** 2
        overlap = _intersection(windows[:, None], windows[None])
        near = overlap / (areas[:, None] + areas[None] - overlap) > 0.4
        centre = near.sum(axis=1).argmax()
        if near[centre].sum() < MIN_HITS:
            break
        mean = windows[near[centre]].mean(axis=0)
        groups.append(mean)
        covered = _intersection(windows, mean) / np.minimum(areas, mean[2] ** 2) >= 0.5
        windows = windows[~(covered | near[centre])]
    return groups


def _intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Area that square windows a and b (..., 3) share."""
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    return np.clip(high - low, 0, None).prod(axis=-1)


def choose_face(boxes: Sequence[Box], hole: Tensor) -> Box:
    """The face that `hole` [..., H, W] (1 = to fill) is about: most of the hole in its frame, then the largest.

    Raises:
        NoFaceFound: `boxes` is empty.
    """
    if not boxes:
        raise NoFaceFound(
            "no face was found in the picture; give a box around the face, or choose 'whole image' if the picture is "
            "a single upright face"
        )
    height, width = hole.shape[-2:]

    def preference(box: Box) -> tuple[float, float]:
        rows, columns = frame_of_face(box).inside(height, width)
        return float(hole[..., rows, columns].sum()), box.width * box.height

    return max(boxes, key=preference)


def crop(image: Tensor, frame: Frame, size: int) -> Tensor:
    """The frame's content, [C,H,W] → [C,size,size]; outside the picture its edge is repeated."""
    height, width = image.shape[-2:]
    rows = torch.arange(frame.y, frame.y + frame.side, device=image.device).clamp(0, height - 1)
    columns = torch.arange(frame.x, frame.x + frame.side, device=image.device).clamp(0, width - 1)
    square = image[:, rows][:, :, columns]
    if frame.side == size:
        return square
    return F.interpolate(square[None], size=(size, size), mode="bilinear", antialias=True, align_corners=False)[0]


def blend_weights(hole: Tensor, frame: Frame, feather: int = 0) -> Tensor:
    """How much of the new picture each pixel takes, [1,H,W] in 0..1: the hole's part in the frame, feathered inwards.

    The weight is 0 wherever the hole is 0, climbs over `feather` pixels and never exceeds the hole's own value. In a
    hole too thin for that it climbs as fast as it must, so that the middle is always filled.
    """
    rows, columns = frame.inside(*hole.shape[-2:])
    weights = torch.zeros_like(hole)
    part = hole[:, rows, columns]
    if part.numel() == 0:
        return weights
    # One pixel of nothing around the part: where the frame cuts the hole the result fades out too. At the picture's own
    # edge there is nothing to fade into, so the hole goes on.
    at_edge = (columns.start == 0, columns.stop == hole.shape[-1], rows.start == 0, rows.stop == hole.shape[-2])
    eroded = part
    for side, edge in enumerate(at_edge):
        padding = [int(i == side) for i in range(4)]
        eroded = F.pad(eroded[None], padding, mode="replicate" if edge else "constant")[0]
    total, steps = torch.zeros_like(eroded), 0
    for _ in range(max(1, feather)):  # the mean of 0, 1, 2 … pixels eroded: a linear ramp
        if steps and not (eroded > 0.5).any():
            break
        total, steps = total + eroded, steps + 1
        eroded = -F.max_pool2d(-eroded[None], 3, stride=1, padding=1)[0]
    weights[:, rows, columns] = (total / steps)[:, 1:-1, 1:-1]
    return weights


def stitch(image: Tensor, patch: Tensor, hole: Tensor, frame: Frame, feather: int = 0) -> Tensor:
    """Put a patch back into its picture: image with the patch in the hole, bit for bit the image everywhere else.

    Args:
        image: [C,H,W], 0..1.
        patch: [C,size,size], 0..1, what the model made of `crop(image, frame, size)`.
        hole: [1,H,W] in 0..1, 1 = to fill; values between blend.
        frame: where the patch belongs.
        feather: pixels over which the patch fades in, inside the hole only.
    """
    rows, columns = frame.inside(*image.shape[-2:])
    if patch.shape[-1] != frame.side:
        size = (frame.side, frame.side)
        antialias = frame.side < patch.shape[-1]
        patch = F.interpolate(patch[None], size=size, mode="bicubic", antialias=antialias, align_corners=False)[0]
    patch = patch.clamp(0, 1)[
        :, rows.start - frame.y : rows.stop - frame.y, columns.start - frame.x : columns.stop - frame.x
    ]
    weights = blend_weights(hole, frame, feather)[:, rows, columns]
    old = image[:, rows, columns]
    result = image.clone()
    result[:, rows, columns] = torch.where(weights > 0, old + weights * (patch - old), old)
    return result
