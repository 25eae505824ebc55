"""Which emotion a face shows, as the model sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..models import HostModel
from ..pictures import pictures_from_image
from ..progress import Progress
from .chart import bar_chart

if TYPE_CHECKING:
    from ecgan_core.face.batch.left_out import OnNote

NOT_READ = "no face was found"


def read(
    model: HostModel,
    image: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    face: str,
    on_no_face: str,
    on_note: OnNote,
) -> tuple[str, torch.Tensor]:
    """The probability of each emotion in each picture, one line a picture, and an IMAGE [B,H,W,3] of bar charts.

    Args:
        image: IMAGE [B,H,W,3 or 4].
        mask: MASK of what the reader may not see; an empty one, as Load Image gives, hides nothing.
        on_no_face: see `Completion`; what is said of a picture that is left out is that no face was found.
        on_note: called with a sentence about those pictures.

    Raises:
        NoFaceFound: there is no face in a picture; the sentence says in which.
        ValueError: the mask does not fit.
    """
    from ecgan_core.reading import read_emotions

    pictures, _ = pictures_from_image(image)
    hidden = None if mask is None or not mask.any() else mask.reshape(-1, 1, *mask.shape[-2:]).float().clamp(0, 1)
    progress = Progress(len(pictures))
    pipeline = model.on_device()
    names = pipeline.emotion_set.names
    lines, charts = [], []
    every = read_emotions(pipeline, pictures, hidden, face, on_no_face, on_note)
    for number, probabilities in enumerate(every, start=1):
        shares = dict(zip(names, [0.0] * len(names) if probabilities is None else probabilities.tolist(), strict=True))
        ranked = sorted(shares.items(), key=lambda pair: -pair[1])
        line = ", ".join(f"{name} {share:.0%}" for name, share in ranked) if any(shares.values()) else NOT_READ
        lines.append(f"{number}: {line}" if len(pictures) > 1 else line)
        charts.append(bar_chart(shares))
        progress.step(1, charts[-1])
    return "\n".join(lines), torch.stack(charts).movedim(1, -1).contiguous()
