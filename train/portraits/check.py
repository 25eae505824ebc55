"""What the studio sends back: eyes that are shut, teeth that come through a face, a face that is not there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .kernels.scene import LEFT_EYE, LOWER_TEETH, RIGHT_EYE, UPPER_TEETH, Visible

OPEN_EYE = 0.022  # smallest visible area of an open eye, in squared distances between the eyes
MEANT_TO_SHUT = 0.25  # an eye with a blink beyond this may be shut
MEANT_TO_PART = 0.12  # lips that are parted by more than this may show teeth
STRAY_TEETH = 0.0015  # largest area of teeth where none should be, in squared distances between the eyes


def find_fault(
    visible: Visible, material: np.ndarray, eyes: np.ndarray, lips: np.ndarray, units: Mapping[str, float]
) -> str | None:
    """What is wrong with a picture, as a few words, or None.

    Args:
        material: int32 [F], of each triangle.
        eyes: [2,2], samples: the left and the right eye *of the person*.
        lips: [n,2], samples: vertices of the lips.
        units: what the face was asked to do.
    """
    seen = np.where(visible.triangle >= 0, material[visible.triangle], -1)
    apart = float(np.linalg.norm(eyes[0] - eyes[1]))
    for side, eye in (("Left", LEFT_EYE), ("Right", RIGHT_EYE)):
        shut = units.get(f"eyeBlink{side}", 0.0) + 0.3 * units.get(f"eyeSquint{side}", 0.0)
        if shut < MEANT_TO_SHUT and (seen == eye).sum() < OPEN_EYE * apart**2:
            return f"{side.lower()} eye shut"

    rows, columns = np.nonzero((seen == UPPER_TEETH) | (seen == LOWER_TEETH))
    if parted(units) > MEANT_TO_PART:
        (left, top), (right, bottom) = lips.min(axis=0), lips.max(axis=0)
        stray = (columns < left) | (columns > right) | (rows < top) | (rows > bottom)
        rows = rows[stray]
    if len(rows) > STRAY_TEETH * apart**2:
        return "teeth through the face"
    return None


def parted(units: Mapping[str, float]) -> float:
    """How far the units part the lips, roughly: 0 closed, 1 wide open."""
    pull = sum(units.get(f"mouth{name}{side}", 0.0) for name in ("UpperUp", "LowerDown") for side in ("Left", "Right"))
    return units.get("jawOpen", 0.0) + 0.25 * pull + 0.5 * units.get("mouthFunnel", 0.0) + units.get("tongueOut", 0.0)
