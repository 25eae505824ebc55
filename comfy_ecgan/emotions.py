"""What the nodes do with emotions themselves: mix them into one, and read them from a face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from .chart import bar_chart
from .models import HostModel
from .pictures import pictures_from_image
from .progress import Progress

if TYPE_CHECKING:
    from ecgan_core.emotions.vectors import EmotionVector
    from ecgan_core.face.batch.left_out import OnNote

NOT_READ = "no face was found"


def mix(model: HostModel, weights: Sequence[tuple[str, float]], vector: EmotionVector | None) -> EmotionVector:
    """The model's emotions, each by its weight, and a `vector` to which they are added.

    The same emotion twice adds up; one of weight 0 is left out, and need not be one of the model's. Nothing at all is
    the vector of neutral, by which no face moves.

    Raises:
        UnknownEmotion: the model has no such emotion.
        ValueError: the vector belongs to another model.
    """
    from ecgan_core.emotions.vectors import mix as mixed

    pipeline = model.pipeline
    if vector is not None:
        pipeline.must_fit(vector)
    sums: dict[str, float] = {}
    for emotion, weight in weights:
        sums[emotion] = round(sums.get(emotion, 0.0) + weight, 6)  # 0.1 + 0.2 would make an ugly name
    start = vector or pipeline.vector(pipeline.emotion_set.neutral)
    return mixed(start, [(weight, pipeline.vector(name)) for name, weight in sums.items() if weight])


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
