"""A contact sheet of a data set as training sees it: cropped, with the holes drawn."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import binary_erosion

from ecgan_core.face.holes import REGIONS, hole_kind, region

from ...portraits.sheet import contact_sheet
from ..pictures import frame, opened, read_bytes, upright
from .census import Census, Item

CELL = 128  # pixels
TINT = np.array((40, 110, 255), dtype=np.float32)
MOST_ROWS = 40
AVERAGED = 200  # pictures


def hole_sheet(census: Census, seed: int = 0) -> Image.Image:
    """For each source: a row of its average face, then a row for each emotion, a column for each kind of hole.

    The average shows whether eyes and mouths lie where the holes are; each picture below it is another one, unselected,
    with a hole as training draws it.
    """
    kinds = census.plan.holes
    generator = torch.Generator().manual_seed(seed)
    rows, names = [], []
    for source in dict.fromkeys(item.source.path for item in census.items):
        own = [item for item in census.plain() if item.source.path == source and not item.look.problem]
        own = [own[i] for i in torch.randperm(len(own), generator=generator).tolist()]
        if not own:
            continue
        average = np.mean([_seen(item) for item in own[:AVERAGED]], axis=0)
        plain = [_drawn(average, _plain_hole(kind)) for kind in kinds]
        rows.append([_drawn(average, None), *plain])
        names.append(source.rpartition("/")[2])
        for emotion in dict.fromkeys((*census.emotions(), *sorted({item.row.emotion for item in own}))):
            showing = [item for item in own if item.row.emotion == emotion]
            if showing and len(rows) < MOST_ROWS:
                faces = [_seen(showing[i % len(showing)]) for i in range(len(kinds) + 1)]
                holes = [hole_kind(kind)(1, CELL, generator)[0, 0].numpy() > 0 for kind in kinds]
                rows.append([_drawn(face, hole) for face, hole in zip(faces, [None, *holes], strict=True)])
                names.append(emotion)
    return contact_sheet(rows, ["as it is", *kinds], names, CELL)


def _seen(item: Item) -> np.ndarray:
    """A picture in the model's frame, float32 [CELL,CELL,3]."""
    with opened(read_bytes(item.row.file, item.row.part)) as image:
        return frame(upright(image), item.source.crop, CELL).astype(np.float32)


def _plain_hole(kind: str) -> np.ndarray | None:
    """The region itself; None for holes that lie anywhere."""
    return region(kind, 1, CELL, torch.Generator(), jitter=0)[0, 0].numpy() > 0 if kind in REGIONS else None


def _drawn(face: np.ndarray, hole: np.ndarray | None) -> Image.Image:
    """A face with a hole: tinted inside, so that what will be missing can still be seen, and outlined."""
    if hole is not None:
        edge = hole & ~binary_erosion(hole, iterations=2)
        strength = np.where(edge, 1.0, np.where(hole, 0.4, 0.0))[..., None]
        face = face * (1 - strength) + TINT * strength
    return Image.fromarray(face.round().astype(np.uint8))
