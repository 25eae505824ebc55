"""A face in its picture: find it, complete it, put it back. What the command line and the ComfyUI nodes share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..completion import Completion
from ..emotions.vectors import EmotionVector
from ..files.latents import FaceLatent
from ..pipeline import PARTLY_MISSING, ECGANPipeline
from .batch.left_out import OnNote, note_in_log
from .batch.places import Boxes, OnStep, matched, places_of
from .frame import Frame
from .light import Light, light_of, match_colour
from .portrait_latent import PortraitLatent
from .stitch import crop, crop_hole, stitch_
from .texture import textured

__all__ = ["PortraitLatent", "complete_portraits", "render", "shift_portraits"]

FACES_AT_ONCE = 8  # on a graphics card: bounds the memory that a large batch takes
SEED_OF_NEXT_FACE = 0x9E3779B97F4A7C15  # far away, so that a face never has the seed of a picture's next sample
TEXTURE_OF_NEXT_PICTURE = 0xD1B54A32D192ED03  # another step, or its first face had the texture of this one's second


def complete_portraits(
    pipeline: ECGANPipeline,
    pictures: Tensor,
    holes: Tensor,
    asked: Completion | None = None,
    *,
    seeds: int | Sequence[int] | None = None,
    boxes: Boxes = None,
    on_look: OnStep | None = None,
    on_step: OnStep | None = None,
    on_note: OnNote = note_in_log,
    **settings: Any,
) -> PortraitLatent:
    """Complete the faces under the hole of each picture, `samples` times; the samples of the first picture come first.

    The latent refers to the pictures and holes that it was given: it has no copies of its own.

    Args:
        pipeline: the model.
        pictures: [N,3,H,W] in 0..1.
        holes: [M,1,h,w] in 0..1, 1 = to fill. One hole serves all pictures and one picture all holes; a hole of another
            size but the same proportions is scaled to its picture.
        asked: emotion, strength, samples and so on; `Completion()` if none is given.
        seeds: instead of those that follow from the asked-for seed: as many as there are samples, the same ones for
            every picture; or one for each result. A single number n stands for n, n + 1, n + 2 … Where a hole covers
            several faces of a picture, the one with most of it has the seed itself, and each further one a seed that
            depends on it and on its place in order.
        boxes: the faces, where the caller knows them (forehead to chin): one for all pictures, or one, several or None
            for each. Of several, those under the hole are completed. With "auto" they are levelled too.
        on_look: called as on_look(done, total) while faces are looked for in the pictures; may raise to stop.
        on_step: called as on_step(done, total) while faces are completed; may raise to stop.
        on_note: called with a sentence for each thing that was done otherwise than asked for.
        settings: single settings of a `Completion` by name, which win over `asked`: `emotion="happy", samples=4`.

    Raises:
        NothingToDo: there is no face, none near the hole, or nothing masked; see `on_no_face` of `Completion`.
        UnknownEmotion: this model has no such emotion.
        ValueError: a setting is none, pictures and holes do not fit each other, or there is nothing to fill.
    """
    asked = replace(asked or Completion(), **settings)
    pictures, holes = matched(pictures, holes)
    if asked.emotion is not None:
        pipeline.emotion_set.index(asked.emotion)  # complain before the search for faces, not after
    frames, ranks, holes = places_of(pictures, holes, asked, boxes, on_look, on_note)
    seeds = _seeds(asked.seeds if seeds is None else seeds, len(pictures), asked.samples)

    places = [(picture, frame) for picture, frames_of_one in enumerate(frames) for frame in frames_of_one]
    # One entry for each face to be drawn: its place, the result that it is in, and its seed.
    order: list[tuple[int, int, int]] = []
    for result, seed in enumerate(seeds):
        of_picture = [place for place, (picture, _) in enumerate(places) if picture == result // asked.samples]
        of_picture_ranks = zip(of_picture, ranks[result // asked.samples], strict=True)
        order += [(place, result, _seed_of_face(seed, rank)) for place, rank in of_picture_ranks]
    lights: list[Light] = []

    def completed() -> Iterator[tuple[list[int], FaceLatent]]:
        """Some faces after the others, each with its number in `order`; what is cropped for them is soon forgotten."""
        drawn, at_once = 0, faces_at_once(pipeline)
        for start in range(0, len(places), at_once):
            chosen = places[start : start + at_once]
            missing = [_missing(holes[picture], frame, pipeline.frame_size) for picture, frame in chosen]
            in_picture = [crop(pictures[picture], frame, pipeline.frame_size) for picture, frame in chosen]
            enlarged = [pipeline.frame_size / frame.side for _, frame in chosen]
            lights.extend(map(light_of, in_picture, missing, enlarged))
            shown = [light.shown(face) for light, face in zip(lights[start:], in_picture, strict=True)]
            # With all samples of each of them: the encoder sees a face once.
            now = [i for i, (place, _, _) in enumerate(order) if start <= place < start + len(chosen)]
            yield (
                now,
                pipeline.complete(
                    2 * torch.stack(shown) - 1,
                    torch.stack(missing).float(),
                    emotion=asked.emotion,
                    strength=asked.strength,
                    seeds=[order[i][2] for i in now],
                    variation=asked.variation,
                    of=[order[i][0] - start for i in now],
                ),
            )
            drawn += len(now)
            if on_step:
                on_step(drawn, len(order))

    return PortraitLatent(
        FaceLatent.gathered(completed(), len(order), pictures.device) if places else _no_faces(pipeline),
        _repeated(pictures, asked.samples),
        _repeated(holes, asked.samples),
        tuple(places[place][1] for place, _, _ in order),
        tuple(result for _, result, _ in order),
        asked,
        tuple(_seed_of_texture(seed, result // asked.samples, asked) for _, result, seed in order),
        tuple(lights[place] for place, _, _ in order),
    )


def render(pipeline: ECGANPipeline, latent: PortraitLatent, on_step: OnStep | None = None) -> Tensor:
    """The pictures with their faces in place, [B,3,H,W] in 0..1: bit for bit the originals outside the holes.

    `on_step` is called as on_step(done, total) while faces are drawn; it may raise to stop.
    """
    rendered, total = latent.pictures.clone(), len(latent.faces)
    at_once = faces_at_once(pipeline)
    for start in range(0, total, at_once):
        chosen = list(range(start, min(start + at_once, total)))
        faces = latent.faces[chosen]
        patches = (pipeline.decode(faces) + 1) / 2
        patches = match_colour(
            patches, (faces.face.to(patches) + 1) / 2, faces.hole.to(patches), latent.color_match
        ).to(latent.pictures.device)
        for face, patch in zip(chosen, patches, strict=True):
            _put_back(rendered[latent.owners[face]], patch, latent, face)
        if on_step:
            on_step(chosen[-1] + 1, total)
    return rendered


def _put_back(picture: Tensor, patch: Tensor, latent: PortraitLatent, face: int) -> None:
    """Put a patch [3,S,S] for one of its faces into a picture, in the picture's light and with its texture."""
    light, frame, place = latent.lights[face], latent.frames[face], latent.places[face]
    skin, blend = place.skin, place.blend

    def finish(fill: Tensor) -> Tensor:
        return textured(fill, skin, frame, blend.region, latent.seeds[face], latent.asked.texture) if skin else fill

    stitch_(picture, light.given_back(patch), frame, blend, light.brightest, finish if skin else None)


def faces_at_once(pipeline: ECGANPipeline) -> int:
    """How many faces go through the networks together; progress is reported as often.

    On the CPU each goes alone: torch picks another algorithm for a single face than for several, which rounds
    otherwise, and a face is to be the same, bit for bit, in any batch. That costs 8 ms a face at 128 pixels.
    """
    return 1 if pipeline.generator.device.type == "cpu" else FACES_AT_ONCE


def shift_portraits(
    pipeline: ECGANPipeline, latent: PortraitLatent, vector: EmotionVector, strength: float | Sequence[float]
) -> PortraitLatent:
    """Move the emotion of every face along `vector`; the encoder does not run again. See `ECGANPipeline.shift`.

    `strength` is that of all pictures, or one for each: over the frames of a clip it may change.
    """
    if isinstance(strength, Sequence):
        if len(strength) != len(latent):
            raise ValueError(f"each picture needs a strength, but there are {len(strength)} for {len(latent)} pictures")
        strength = [strength[owner] for owner in latent.owners]
    return latent.with_faces(pipeline.shift(latent.faces, vector, strength))


def _no_faces(pipeline: ECGANPipeline) -> FaceLatent:
    """The latent of a batch whose pictures are all left as they are: no faces, of the shapes that faces have."""
    blank = torch.zeros(1, 3, pipeline.frame_size, pipeline.frame_size)
    return pipeline.complete(blank, torch.ones_like(blank[:, :1]), seeds=[0])[:0]


def _missing(hole: Tensor, frame: Frame, size: int) -> Tensor:
    """What of a frame the networks must imagine, bool [1,size,size]: all that is masked by more than a trace."""
    masked = crop_hole(hole, frame, size)
    # A spot much smaller than one of the networks' pixels masks each of them by a trace only: then that is meant.
    return masked > min(PARTLY_MISSING, float(masked.max()) / 2)


def _seed_of_face(seed: int, k: int) -> int:
    """The seed of the face of rank k in a picture whose seed is given."""
    return (seed + k * SEED_OF_NEXT_FACE) % 2**64 if k else seed


def _seed_of_texture(seed: int, picture: int, asked: Completion) -> int:
    """The seed of the texture of a face whose seed is given, in a picture of that number in its batch."""
    return (seed + picture * TEXTURE_OF_NEXT_PICTURE) % 2**64 if asked.texture_alive else seed


def _repeated(pictures: Tensor, samples: int) -> Tensor:
    """Each picture `samples` times in a row; one and the same picture, however often, takes its memory only once."""
    if len(pictures) == 1:
        return pictures.expand(samples, -1, -1, -1)
    return pictures if samples == 1 else pictures.repeat_interleave(samples, dim=0)


def _seeds(seeds: int | Sequence[int], pictures: int, samples: int) -> list[int]:
    """One seed for each result: picture 1's samples, picture 2's samples …"""
    if isinstance(seeds, int):
        seeds = [seeds + k for k in range(samples)]
    if len(seeds) == samples:
        return list(seeds) * pictures
    if len(seeds) == pictures * samples:
        return list(seeds)
    raise ValueError(f"{samples} samples of {pictures} pictures need {samples} seeds, not {len(seeds)}")
