"""A model's emotions mixed into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..models import HostModel

if TYPE_CHECKING:
    from ecgan_core.emotions.vectors import EmotionVector


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
