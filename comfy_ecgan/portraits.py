"""What the nodes do to faces: complete them, shift or sweep their emotion, build a vector from them.

Each function takes what travels on ComfyUI's wires and gives what does. The core's heavier modules are imported when a
node first runs, because they import diffusers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import comfy.model_management
import torch

from ecgan_core.completion import FACE_CHOICES, NO_FACE_CHOICES, Completion

from .boxes import boxes_from_text, boxes_from_wire
from .models import HostModel
from .pictures import Frames, holes_from_mask, mask_from_holes, pictures_from_image
from .progress import Progress
from .sockets import CompletedPortraits

if TYPE_CHECKING:
    from ecgan_core.emotions.vectors import EmotionVector
    from ecgan_core.face.batch.left_out import OnNote
    from ecgan_core.face.portrait import PortraitLatent
    from ecgan_core.pipeline import ECGANPipeline

AS_SUGGESTED = "as the face suggests"
NO_EMOTION = "(no model is installed)"
FACES = list(FACE_CHOICES)
NO_FACE = list(NO_FACE_CHOICES)


def asked_for(emotion: str, **settings: Any) -> Completion:
    """What the widgets of a node say, each named as a setting of `Completion`, as the core takes it."""
    return Completion(None if emotion == AS_SUGGESTED else emotion, **settings)


def complete(
    model: HostModel,
    image: torch.Tensor,
    mask: torch.Tensor | None,
    asked: Completion,
    *,
    face_box: str = "",
    bounding_boxes: Any = None,
    on_note: OnNote,
) -> tuple[CompletedPortraits, torch.Tensor]:
    """Complete the faces under the mask of each picture, and a MASK [B,H,W] of what changed.

    Args:
        image: IMAGE [N,H,W,3 or 4]; its transparency is kept as it is.
        mask: MASK [M,H,W]; one mask serves every picture, one picture every mask.
        asked: its settings; those of the node by `asked_for`.
        face_box: see `boxes_from_text`; where it is blank, `bounding_boxes` count.
        bounding_boxes: see `boxes_from_wire`.
        on_note: called with a sentence for each thing that was done otherwise than asked for.

    Raises:
        ValueError: something connected or typed does not fit; one sentence says what, and what to do.
    """
    from ecgan_core.face.portrait import complete_portraits

    pictures, alpha = pictures_from_image(image)
    holes = holes_from_mask(mask, may_be_empty=asked.on_no_face == "leave")
    count = max(len(pictures), len(holes))
    boxes = boxes_from_text(face_box) or boxes_from_wire(bounding_boxes, count)
    total = count * asked.samples
    progress = Progress(3 * total)  # each is looked at, completed and drawn
    pipeline = model.on_device()
    portrait = complete_portraits(
        pipeline,
        pictures,
        holes,
        asked,
        boxes=boxes,
        on_look=lambda done, pictures: progress.reach(done * total // pictures),
        on_step=lambda done, faces: progress.reach(total + done * total // faces),
        on_note=on_note,
    )
    if alpha is not None:  # pictures come out sample by sample, and one picture may have met several masks
        alpha = alpha.expand(count, -1, -1, -1).repeat_interleave(asked.samples, dim=0)
    return _rendered(pipeline, portrait, alpha, progress), mask_from_holes(portrait.changed)


def shift(
    model: HostModel,
    latent: CompletedPortraits,
    *,
    vector: EmotionVector | None,
    emotion: str | None,
    strength: float,
) -> CompletedPortraits:
    """Move every face by `strength` along `vector` or, without one, along the model's own `emotion`.

    Raises:
        ValueError: no emotion or one this model does not know, or a vector or a latent of another model.
    """
    from ecgan_core.face.portrait import shift_portraits

    pipeline = model.pipeline
    if vector is None:
        vector = _own_vector(pipeline, emotion)
    portrait = shift_portraits(pipeline, latent.portrait, vector, strength)
    if strength == 0:
        return latent
    progress = Progress(len(portrait))
    return _rendered(model.on_device(), portrait, latent.alpha, progress)


def _own_vector(pipeline: ECGANPipeline, emotion: str | None) -> EmotionVector:
    known = [name for name in pipeline.emotion_set.names if name != pipeline.emotion_set.neutral]
    if not emotion or emotion in (pipeline.emotion_set.neutral, NO_EMOTION):
        asked = f"'{emotion}' is where this model's emotions start" if emotion else "there is no emotion to shift along"
        raise ValueError(
            f"{asked}; choose one of {', '.join(known)} (below 0 the shift leads away from it), or connect a vector"
        )
    return pipeline.vector(emotion)


def sweep(
    model: HostModel,
    latent: CompletedPortraits,
    *,
    vector: EmotionVector | None,
    emotion: str | None,
    start: float,
    end: float,
    steps: int,
    ping_pong: bool,
) -> torch.Tensor:
    """Every face shifted by `steps` strengths from `start` to `end`: an IMAGE, face by face, its frames in order.

    A frame is what `shift` gives for its strength. With `ping_pong` the frames between the two ends come once more,
    backwards, so that the animation has no jump where it starts over.

    Raises:
        ValueError: as in `shift`.
    """
    from ecgan_core.face.portrait import render, shift_portraits

    pipeline = model.pipeline
    if vector is None:
        vector = _own_vector(pipeline, emotion)
    strengths = [round(start + (end - start) * step / (steps - 1), 6) for step in range(steps)]  # a 0 is exactly 0
    shifts = [shift_portraits(pipeline, latent.portrait, vector, strength) for strength in strengths]
    progress = Progress(len(latent.portrait) * steps)
    pipeline = model.on_device()
    unmoved, alpha = latent.image[..., :3].movedim(-1, 1), latent.alpha
    of_each = 2 * steps - 2 if ping_pong else steps
    if alpha is not None:
        alpha = alpha.repeat_interleave(of_each, dim=0)
    strip = Frames(len(unmoved) * of_each, unmoved[0], alpha)
    for face, start in enumerate(range(0, len(unmoved) * of_each, of_each)):
        for step, (strength, shifted) in enumerate(zip(strengths, shifts, strict=True)):
            strip[start + step] = render(pipeline, shifted[face])[0] if strength else unmoved[face]
            progress.step(1, strip[start + step])
        for step in range(steps, of_each):
            strip[start + step] = strip[start + of_each - step]
    return strip.image


def build_vector(
    model: HostModel,
    images: torch.Tensor,
    neutral_images: torch.Tensor | None,
    *,
    name: str,
    face: str,
    on_no_face: str,
) -> tuple[EmotionVector, str]:
    """The vector from neutral faces (the model's own neutral without any) to those in `images`, and a report to read.

    Args:
        on_no_face: see `Completion`; the report says which pictures are left out.

    Raises:
        ValueError: no name, or pictures without a face.
    """
    name = name.strip()
    if not name:
        raise ValueError("the emotion has no name; type one into 'name'")
    sets = {"images": images} if neutral_images is None else {"images": images, "neutral_images": neutral_images}
    progress = Progress(sum(map(len, sets.values())))
    size = model.pipeline.frame_size
    crops, notes = [], []
    for what, image in sets.items():
        said: list[str] = []
        crops.append(face_crops(image, what, face, size, progress, on_no_face, said.append))
        notes += [f"{what}: {note}" for note in said]
    vector, report = model.on_device().build_vector(name, *crops)
    return vector, "\n".join([f"{name}: {report}", *notes])


def face_crops(
    image: torch.Tensor, what: str, face: str, size: int, progress: Progress, on_no_face: str, on_note: OnNote
) -> torch.Tensor:
    """The face in each picture of an IMAGE that has one, [B,3,size,size] in −1..1."""
    from ecgan_core.face.batch.left_out import LeftOut
    from ecgan_core.face.batch.places import portrait_frame
    from ecgan_core.face.choosing import NO_FACE, NoFaceFound
    from ecgan_core.face.stitch import crop

    pictures, _ = pictures_from_image(image, what)
    left = LeftOut(len(pictures), on_no_face, ("is left out", "are left out"))
    crops = []
    for number, picture in enumerate(pictures):
        try:
            crops.append(crop(picture, portrait_frame(picture, None, face), size))
        except NoFaceFound as problem:
            advice = "take it out of the batch, or crop all pictures to their faces and choose 'whole image'"
            left.add(
                number, NoFaceFound(problem.reason.replace(NO_FACE, f"{NO_FACE} of '{what}'"), advice, problem.details)
            )
        progress.step()
    left.say(on_note)
    if not crops:
        raise NoFaceFound(f"no face was found in any picture of '{what}'", "a vector needs at least one")
    return 2 * torch.stack(crops).clamp(0, 1) - 1


def _rendered(
    pipeline: ECGANPipeline, portrait: PortraitLatent, alpha: torch.Tensor | None, progress: Progress
) -> CompletedPortraits:
    """Draw the pictures few by few, so that each is soon shown and Cancel is heard between them.

    As many as go through the networks together: on a CPU one by one.
    """
    from ecgan_core.face.portrait import faces_at_once, render

    frames, at_once = Frames(len(portrait), portrait.pictures[0], alpha), faces_at_once(pipeline)
    for start in range(0, len(portrait), at_once):
        for index, picture in enumerate(render(pipeline, portrait[start : start + at_once]), start):
            frames[index] = picture
            progress.step(1, frames[index])
    # What waits in ComfyUI's cache waits where ComfyUI wants it, not on the graphics card.
    portrait = portrait.with_faces(portrait.faces.to(comfy.model_management.intermediate_device()))
    return CompletedPortraits(portrait, frames.image, alpha)
