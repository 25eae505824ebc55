"""From a stage to a picture: shadows, strands, surfaces, then exposure."""

from __future__ import annotations

import numpy as np

from .hair.strands import cast, draw
from .identity import Identity
from .kernels.scene import Camera, Canvas, ShadowMap, Visible
from .picture.light import Lighting, brightness
from .picture.raster import mean_brightness, occlusion, resolve, see
from .picture.shade import shade
from .sitter import Stage

SHADOW_SAMPLES = 384
SHADOW_SIDE = 4.2  # decimetres that the shadow map covers
SHADOW_MIDDLE = np.array([0.0, 7.2, 0.5], np.float32)


def samples_per_pixel(size: int) -> int:
    """Samples of a pixel in each direction: small pictures get more, for a hair is thinner in them."""
    return 2 if size >= 128 else 4


def render(
    person: Identity, stage: Stage, visible: Visible, camera: Camera, lighting: Lighting, background: np.ndarray
) -> np.ndarray:
    """The picture, uint8 [S,S,3], sRGB.

    Args:
        visible: what each of the camera's samples sees of the stage's surface.
        background: float32 [S,S,3], linear; the camera has `samples_per_pixel` × S samples a side.
    """
    lights = lighting.lights
    shadow = _shadow_map(stage, lights.direction[0])
    canvas = Canvas(
        np.zeros((camera.size, camera.size, 3), np.float32),
        visible.depth.copy(),
        np.zeros((camera.size, camera.size), np.float32),
    )
    for strands, posed in stage.strands:
        draw(strands, posed, lights, shadow, camera, stage.hair_middle, canvas)
    face_depth = float(stage.eyes[:, 2].mean())
    open_to_sky = occlusion(canvas.depth, (camera.distance - face_depth) / camera.focal)
    shade(
        stage.surface, visible, camera, lights, shadow, open_to_sky,
        person.skin, stage.wrinkles, person.eyes, person.cloth, person.glasses, canvas,
    )  # fmt: skip
    lit = mean_brightness(canvas.colour, visible.triangle, stage.surface.material, canvas.strand)
    exposure = brightness(person.tone) * lighting.exposure / max(lit, 1e-3)
    return resolve(canvas, visible, open_to_sky, background, exposure)


def _shadow_map(stage: Stage, to_light: np.ndarray) -> ShadowMap:
    """Depths towards the key light of surface and strands."""
    across = np.cross([0.0, 1.0, 0.0], to_light)
    across /= np.linalg.norm(across)
    basis = np.stack([across, np.cross(to_light, across), to_light]).astype(np.float32)
    scale = SHADOW_SAMPLES / SHADOW_SIDE
    points = (stage.surface.position - SHADOW_MIDDLE) @ basis.T
    points[:, :2] = points[:, :2] * scale + SHADOW_SAMPLES / 2
    solid = see(points, stage.surface.triangles, SHADOW_SAMPLES).depth
    shadow = ShadowMap(basis, SHADOW_MIDDLE, scale, solid, solid.copy())
    for _, posed in stage.strands[:1]:
        cast(posed, shadow)
    return shadow
