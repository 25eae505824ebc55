"""Emotions over the frames of an animation or a clip, from keyframes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..models import HostModel
from ..pictures import Frames, image_from_pictures
from ..progress import Progress
from ..sockets import CompletedPortraits
from ..vector_files import load_vector, vector_names
from .chart import line_chart

if TYPE_CHECKING:
    from ecgan_core.emotions.keyframes import Weights
    from ecgan_core.emotions.vectors import EmotionVector

EASINGS = ["linear", "ease", "hold"]  # of ecgan_core.emotions.keyframes, not imported
CONNECTED = "vector"  # what keyframes call the vector that is connected
ENDING = ".safetensors"


def animate(
    model: HostModel,
    latent: CompletedPortraits,
    keyframes: str,
    *,
    frames: int,
    easing: str,
    loop: bool,
    vector: EmotionVector | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One picture moved through keyframes, or each frame of a clip to what its time asks for.

    Args:
        latent: of one picture, which becomes `frames` ones; or of the frames of a clip.
        keyframes: see `parse_keyframes`. Names are the model's emotions, "vector" for the one that is connected, and
            those of saved vectors without their ending.
        frames: how many; 0 for up to the last keyframe, or as many as the clip has.
        easing, loop: see `timeline`.

    Returns:
        the frames as an IMAGE, and a chart of the emotions' weights over them as one of a single picture.

    Raises:
        KeyframeError: a line is no keyframe; the text says which.
        ValueError: another number of frames than the clip has, or a vector of another model.
    """
    from ecgan_core.emotions.keyframes import parse_keyframes, timeline

    emotions = model.pipeline.emotion_set
    names = list(emotions.names)
    saved = {name.removesuffix(ENDING): name for name in vector_names()}
    more = [*([CONNECTED] if vector is not None else []), *saved]
    keys = parse_keyframes(keyframes, [*names, *(name for name in more if name not in names)], emotions.neutral)
    pictures = len(latent.portrait)
    if pictures > 1 and frames not in (0, pictures):
        raise ValueError(f"the clip has {pictures} frames, not {frames}; set 'frames' to 0 to take all of them")
    count = frames or (pictures if pictures > 1 else keys[-1].frame + 1)
    weights = timeline(keys, count, easing, loop)
    used = dict.fromkeys(name for of_frame in weights for name in of_frame)
    vectors = {name: _vector(model, name, vector, saved) for name in used}
    return _drawn(model, latent, weights, vectors), image_from_pictures(line_chart(weights)[None], None)


def _vector(model: HostModel, name: str, connected: EmotionVector | None, saved: dict[str, str]) -> EmotionVector:
    if name in model.pipeline.emotion_set.names:
        return model.pipeline.vector(name)
    if name == CONNECTED and connected is not None:
        model.pipeline.must_fit(connected)
        return connected
    return load_vector(saved[name], model)


def _drawn(
    model: HostModel, latent: CompletedPortraits, weights: list[Weights], vectors: dict[str, EmotionVector]
) -> torch.Tensor:
    """The frames one by one, so that each is shown as it is done and Cancel is heard between any two."""
    from ecgan_core.face.portrait import render, shift_portraits

    progress = Progress(len(weights))
    pipeline = model.on_device()
    nowhere = pipeline.vector(pipeline.emotion_set.neutral)
    known: dict[tuple, int] = {}  # what a frame shows → the first that shows it
    alone = len(latent.portrait) == 1
    strip = Frames(len(weights), latent.portrait.pictures[0], latent.alpha)
    for number, of_frame in enumerate(weights):
        place = 0 if alone else number
        look = (place, *sorted((name, weight) for name, weight in of_frame.items() if weight))
        if look not in known:
            portrait = shift_portraits(pipeline, latent.portrait[place], nowhere, 0.0)  # or it is of another model
            for name, weight in of_frame.items():
                portrait = shift_portraits(pipeline, portrait, vectors[name], weight)
            unmoved = latent.image[place, ..., :3].movedim(-1, 0)
            strip[number] = render(pipeline, portrait)[0] if len(look) > 1 else unmoved
        else:
            strip[number] = strip[known[look]]
        known.setdefault(look, number)
        progress.step(1, strip[number])
    return strip.image
