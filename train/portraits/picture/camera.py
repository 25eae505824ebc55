"""Where the camera stands: framing, projection, and the labels that follow from them."""

from __future__ import annotations

import numpy as np

from ecgan_core.face.frame import FEATURE_WEIGHTS, FRAME, FRAME_BELOW_BOX, FRAME_PER_BOX, similarity

from ..head.mesh import Head
from ..kernels.scene import SKIN, Camera

DISTANCE = 11.0  # of the camera from the origin, decimetres
WANDER, ZOOM = 0.010, 0.015  # standard deviations of the framing, shares of the side
FURTHER = 18.0  # degrees from which on a head is framed by what is seen of its features, see `seen_frame`


def frame_side(eyes: np.ndarray, mouth: np.ndarray) -> float:
    """Side of the model's frame around a resting face, by its eyes [2,3] and the middle of its mouth [3].

    A face is longer or wider than the frame's: the side is the mean of what its eyes and its length ask for.
    """
    apart = FRAME["right eye"][0] - FRAME["left eye"][0]
    below = FRAME["mouth"][1] - FRAME["left eye"][1]
    middle = eyes.mean(axis=0)
    return float(np.linalg.norm(eyes[0] - eyes[1]) / apart + np.linalg.norm(middle - mouth) / below) / 2


def seen_frame(features: np.ndarray) -> tuple[float, float, float]:
    """x, y and side of the model's frame that fits the features [3,3] of a posed head, two eyes and a mouth, as seen.

    A head that is turned aside has its eyes nearer to each other and to the edge of what is seen: a face finder, which
    goes by them (`ecgan_core.face.finder.aligning`), frames it otherwise than by its head. The turn is left out.
    """
    usual = np.array([complex(*FRAME[name]) for name in ("right eye", "left eye", "mouth")]) - (0.5 + 0.5j)
    actual = np.array([complex(x, -y) for x, y, _ in features])
    transform, middle = similarity(usual, actual, FEATURE_WEIGHTS)
    return middle.real, -middle.imag, abs(transform)


def sample_camera(
    side: float, eyes: np.ndarray, samples: int, rng: np.random.Generator, features: np.ndarray | None = None
) -> Camera:
    """A camera that shows the model's frame, a little off as a face finder would be.

    Args:
        side: of the frame, see `frame_side`.
        eyes: [2,3], the posed eyes.
        samples: along a side of the picture.
        features: for a frame that fits these instead of the head, see `seen_frame`.
    """
    middle = eyes.mean(axis=0)
    # Heads turn about their axis: the frame's middle lies between it and the eyes.
    x, below = 0.85 * middle[0], 0.5 - FRAME["left eye"][1]
    if features is not None:
        x, y, side = seen_frame(features)
        below = (middle[1] - y) / side
    seen = side * float(np.exp(ZOOM * rng.normal()))
    x += WANDER * seen * rng.normal()
    y = middle[1] - below * seen + WANDER * seen * rng.normal()
    return Camera(float(x), float(y), DISTANCE, samples / seen * (DISTANCE - float(middle[2])), samples)


def project(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Sample coordinates and depth (x, y, z) of points [...,3]; float32."""
    scale = camera.focal / (camera.distance - points[..., 2])
    x = (points[..., 0] - camera.x) * scale + camera.size / 2
    y = camera.size / 2 - (points[..., 1] - camera.y) * scale
    return np.stack([x, y, points[..., 2]], axis=-1).astype(np.float32)


def face_box(eyes: np.ndarray, mouth: np.ndarray, side: float) -> tuple[float, float, float, float]:
    """x, y, width, height of the face as the project's face finder would box it, whatever the mouth is doing.

    Args:
        eyes: [2,2], in pixels.
        mouth: [2], its middle.
        side: of the model's frame around the resting face, in pixels.
    """
    middle, box = eyes.mean(axis=0), side / FRAME_PER_BOX
    x = (middle[0] + mouth[0]) / 2
    y = middle[1] + (0.5 - FRAME["left eye"][1]) * side - FRAME_BELOW_BOX * box
    return float(x - box / 2), float(y - box / 2), float(box), float(box)


def landmark_vertices(head: Head) -> dict[str, int]:
    """Vertices of `nose`, `left mouth` and `right mouth`; left and right as seen in the picture."""
    x, y, z = head.rest.T
    skin = np.zeros(len(head.rest), bool)
    skin[head.triangles[head.material == SKIN].ravel()] = True
    nose = np.where(skin & (np.abs(x) < 0.1) & (y > 6.8) & (y < 7.2), z, -np.inf)
    lips = skin & (head.masks["lips"] > 0.5)
    return {
        "nose": int(np.argmax(nose)),
        "left mouth": int(np.argmin(np.where(lips, x, np.inf))),
        "right mouth": int(np.argmax(np.where(lips, x, -np.inf))),
    }
