"""What an artist asks of a completion: its settings, their defaults and what they may be, described once.

Nodes, command line and library hand a `Completion` on as it is; each setting is read where it acts. Neither torch nor
diffusers is imported here, so that a list of nodes and a `--help` cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from .words import finite, shown

FACE_CHOICES = ("auto", "whole image")
NO_FACE_CHOICES = ("auto", "error", "leave")
# What the settings that are numbers may be, both ends included; all others only have to be finite.
RANGES = {"seed": (0, 2**64 - 1), "samples": (1, 1000), "feather": (0, 2**16), "color_match": (0, 1), "texture": (0, 1)}
WHOLE = ("seed", "samples", "feather")


@dataclass(frozen=True)
class Completion:
    """The settings of a completion.

    Args:
        emotion: a name, or None for the one that the visible part suggests.
        strength: 0 is neutral, 1 the emotion as trained; above exaggerates, below 0 goes to its opposite.
        seed: of the first sample; the next samples have seed + 1, seed + 2 …, from 2^64 on counting round.
        samples: completions of each picture.
        variation: how far samples stray from the likeliest face; 0 gives that one for every seed.
        face: "auto" finds the faces under the hole and levels them, "whole image" takes the picture as one face.
        feather: pixels over which a face fades in, inside the hole.
        color_match: how far a face's broad colour follows that around the hole, 0 (not at all) to 1.
        texture: how much of the visible skin's fine texture (pores, stubble, grain) a face has that is larger than the
            model's pixels, 0 (none) to 1.
        on_no_face: what becomes of a picture in which no face is found or nothing is masked: "error", or "leave" it as
            it is; "auto" leaves it in a batch, unless there is nothing to do in any of its pictures.
        track: the pictures are the frames of a clip: faces are followed from frame to frame, held still, and bridged
            where they are not found for a moment; each person keeps their seed. Each shot is followed by itself.
        inside_face: a hole ends where the face ends, before hair and background, as far as an outline can be seen.
        texture_alive: each picture of a batch has a texture of its own, as each frame of a film has its own grain; else
            one seed gives all the same, which holds still in a clip.

    Raises:
        ValueError: a setting is not what it may be; one sentence says which.
    """

    emotion: str | None = None
    strength: float = 1.0
    seed: int = 0
    samples: int = 1
    variation: float = 0.5
    face: str = "auto"
    feather: int = 8
    color_match: float = 0.0
    texture: float = 1.0
    on_no_face: str = "auto"
    track: bool = False
    inside_face: bool = False
    texture_alive: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.emotion, str | None):
            raise ValueError(f"emotion must be a name, or None, but it is {shown(self.emotion)}")
        must_be_face_choice(self.face)
        must_be_no_face_choice(self.on_no_face)
        for name in ("track", "inside_face", "texture_alive"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be True or False, but it is {shown(getattr(self, name))}")
        for name in ("strength", "variation", "color_match", "texture"):
            object.__setattr__(self, name, finite(name, getattr(self, name)))
        for name in WHOLE:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral):
                raise ValueError(f"{name} must be a whole number, but it is {shown(value)}")
            object.__setattr__(self, name, int(value))
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                due = f"at least {low}" if value < low else f"from {low} to {high}"
                raise ValueError(f"{name} must be {due}, not {shown(value)}")

    @property
    def seeds(self) -> list[int]:
        """The seeds of the samples."""
        return [(self.seed + sample) % 2**64 for sample in range(self.samples)]


def must_be_face_choice(face: object) -> None:
    """Raise ValueError unless `face` is one of `FACE_CHOICES`."""
    if face not in FACE_CHOICES:
        raise ValueError(f"face must be one of {', '.join(map(repr, FACE_CHOICES))}, not {shown(face)}")


def must_be_no_face_choice(on_no_face: object) -> None:
    """Raise ValueError unless `on_no_face` is one of `NO_FACE_CHOICES`."""
    if on_no_face not in NO_FACE_CHOICES:
        known = ", ".join(map(repr, NO_FACE_CHOICES))
        raise ValueError(f"on_no_face must be one of {known}, not {shown(on_no_face)}")


# What a saved latent means by a setting that it does not mention: to do nothing, as the version did that saved it.
PLAIN = Completion(feather=0, texture=0.0)
