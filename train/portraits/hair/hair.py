"""A person's hair, all that others need of it: the look, the tint of the skin, and the strands.

`hair_look` says what it is like, `hairline` where it grows, `hairstyles` and `scalp_hair` how it falls, `facial_hair`
what moves with the face, and `strands` how it is drawn.
"""

from __future__ import annotations

import numpy as np

from ..head.mesh import Head
from .facial import FaceRoots, face_marks, face_roots, face_strands
from .hairline import scalp_density
from .look import HairLook, sample_hair
from .scalp import grow_hair
from .strands import Strands

__all__ = [
    "FaceRoots",
    "HairLook",
    "Strands",
    "face_roots",
    "face_strands",
    "grow_hair",
    "hair_marks",
    "sample_hair",
]

SCALP = {"bald": 0.0, "buzz": 0.8}  # how dense hair makes the skin look below it, by style
USUAL_SCALP = 0.9


def hair_marks(head: Head, look: HairLook) -> np.ndarray:
    """How much the skin is tinted by what grows on it: the scalp, brow and beard columns of `Surface.marks`.

    Returns:
        float32 [V,3], 0..1. The beard's column says where it would grow; how dark the skin is there is `look.stubble`.
    """
    scalp = SCALP.get(look.style, USUAL_SCALP) * scalp_density(head, look.recede, look.seed)
    return np.column_stack([scalp, face_marks(head, look)]).astype(np.float32)
