"""Emotions over the frames of an animation or a clip, from keyframes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..models import HostModel
from ..pictures import Frames, image_from_pictures
from ..progress import Progress
from ..sockets import CompletedPortraits, EmotionsOverTime
from ..vector_files import file_stamp, load_vector, vector_names
from .chart import line_chart

if TYPE_CHECKING:
    from ecgan_core.emotions.keyframes import Weights
    from ecgan_core.emotions.vectors import EmotionVector
    from ecgan_core.face.portrait import PortraitLatent
    from ecgan_core.pipeline import ECGANPipeline

EASINGS = ["linear", "ease", "hold"]  # of ecgan_core.emotions.keyframes, not imported
CONNECTED = "vector"  # what keyframes call the vector that is connected
ENDING = ".safetensors"
MOST_FRAMES = 4096


def animate(
    model: HostModel,
    latent: CompletedPortraits,
    keyframes: str,
    *,
    frames: int,
    easing: str,
    loop: bool,
    vector: EmotionVector | None,
) -> tuple[torch.Tensor, torch.Tensor, EmotionsOverTime]:
    """One picture moved through keyframes, or each frame of a clip to what its time asks for.

    Args:
        latent: of one picture, which becomes `frames` ones; or of the frames of a clip.
        keyframes: see `parse_keyframes`. Names are the model's emotions, "vector" for the one that is connected, and
            those of saved vectors without their ending.
        frames: how many; 0 for up to the last keyframe, or as many as the clip has.
        easing, loop: see `timeline`.

    Returns:
        the frames as an IMAGE, a chart of the emotions' weights over them as one of a single picture, and what moves
        another clip in the same way, by `shift`.

    Raises:
        KeyframeError: a line is no keyframe; the text says which.
        ValueError: another number of frames than the clip has, or a vector of another model.
    """
    from ecgan_core.emotions.keyframes import parse_keyframes, timeline

    emotions = model.pipeline.emotion_set
    names = list(emotions.names)
    saved = _saved()
    more = [*([CONNECTED] if vector is not None else []), *saved]
    keys = parse_keyframes(keyframes, [*names, *(name for name in more if name not in names)], emotions.neutral)
    pictures = len(latent.portrait)
    if pictures > 1 and frames not in (0, pictures):
        raise ValueError(f"the clip has {pictures} frames, not {frames}; set 'frames' to 0 to take all of them")
    count = frames or (pictures if pictures > 1 else keys[-1].frame + 1)
    if count > MOST_FRAMES and pictures == 1:
        raise ValueError(
            f"the last keyframe is frame {keys[-1].frame}, and an animation has up to {MOST_FRAMES} frames; correct "
            f"it, or set 'frames'"
        )
    weights = timeline(keys, count, easing, loop)
    used = dict.fromkeys(name for key in keys for name in key.weights)
    vectors = {name: _vector(model, name, vector, saved) for name in used}
    chart = image_from_pictures(line_chart(weights)[None], None)
    return _drawn(model, latent, weights, vectors), chart, EmotionsOverTime(keys, easing, loop, vectors)


def stamp_of_vectors(keyframes: str | None) -> str:
    """Changes when the file behind a saved vector does that keyframes may name, so that ComfyUI draws them again.

    Keyframes that come over a wire are not known before they are needed: they may name any.
    """
    text = None if keyframes is None else _plain(keyframes)
    names = [name for stem, name in _saved().items() if text is None or _plain(stem) in text]
    return "\n".join(f"{name} {file_stamp(name)}" for name in names)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _saved() -> dict[str, str]:
    """The files of saved vectors by what keyframes call them."""
    stems = {name.removesuffix(ENDING): name for name in vector_names()}
    # Windows lists a folder's files with a \; in a workflow from elsewhere it is a /.
    return stems | {stem.replace("\\", "/"): name for stem, name in stems.items()}


def shift(
    model: HostModel, latent: CompletedPortraits, over_time: EmotionsOverTime, strength: float
) -> CompletedPortraits:
    """Move each frame of a clip to what its time asks for, times `strength`: the frames of `animate`, and their latent.

    Raises:
        ValueError: a vector or the latent belongs to another model.
    """
    from ecgan_core.emotions.keyframes import timeline

    course = timeline(over_time.keyframes, len(latent.portrait), over_time.easing, over_time.loop)
    weights = [{name: strength * weight for name, weight in of_frame.items()} for of_frame in course]
    portrait = _moved(model.pipeline, latent.portrait, weights, over_time.vectors)
    return CompletedPortraits(portrait, _drawn(model, latent, weights, over_time.vectors), latent.alpha)


def _vector(model: HostModel, name: str, connected: EmotionVector | None, saved: dict[str, str]) -> EmotionVector:
    if name in model.pipeline.emotion_set.names:
        return model.pipeline.vector(name)
    if name == CONNECTED and connected is not None:
        model.pipeline.must_fit(connected)
        return connected
    return load_vector(saved[name], model)


def _moved(
    pipeline: ECGANPipeline, portrait: PortraitLatent, weights: list[Weights], vectors: dict[str, EmotionVector]
) -> PortraitLatent:
    """Pictures moved by the weights of each; they and the vectors must be of this model, also where nothing moves."""
    from ecgan_core.face.portrait import shift_portraits

    nowhere = pipeline.vector(pipeline.emotion_set.neutral)
    portrait = shift_portraits(pipeline, portrait, nowhere, 0.0)
    for name, vector in vectors.items():
        portrait = shift_portraits(pipeline, portrait, vector, [of_one.get(name, 0.0) for of_one in weights])
    return portrait


def _drawn(
    model: HostModel, latent: CompletedPortraits, weights: list[Weights], vectors: dict[str, EmotionVector]
) -> torch.Tensor:
    """The frames one by one, so that each is shown as it is done and Cancel is heard between any two."""
    from ecgan_core.face.portrait import render

    progress = Progress(len(weights))
    pipeline = model.on_device()
    known: dict[tuple, int] = {}  # what a frame shows → the first that shows it
    alone = len(latent.portrait) == 1
    strip = Frames(len(weights), latent.portrait.pictures[0], latent.alpha)
    for number, of_frame in enumerate(weights):
        place = 0 if alone else number
        look = (place, *sorted((name, weight) for name, weight in of_frame.items() if weight))
        if look not in known:
            portrait = _moved(pipeline, latent.portrait[place], [of_frame], vectors)
            unmoved = latent.image[place, ..., :3].movedim(-1, 0)
            strip[number] = render(pipeline, portrait)[0] if len(look) > 1 else unmoved
        else:
            strip[number] = strip[known[look]]
        known.setdefault(look, number)
        progress.step(1, strip[number])
    return strip.image
