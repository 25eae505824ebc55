"""A portrait: one person wearing one emotion in front of a camera, checked, rendered and labelled."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ecgan_core.files.disk import writing

from ..cache_folder import ELSEWHERE
from .check import find_fault
from .expression import Expression, perform
from .head.mesh import Head
from .head.pose import sample_pose
from .identity import sample_identity
from .kernels.compiled import compiled_folder
from .kernels.scene import Visible
from .picture.background import enlarged, sample_background
from .picture.camera import Camera, face_box, project, sample_camera, seen_frame
from .picture.light import sample_lighting
from .picture.photo import JPEG_QUALITY, develop
from .picture.raster import see
from .recipe import Recipe
from .render import render, samples_per_pixel
from .sitter import Sitter, Stage

RETAKES = 5  # before a picture is kept as it is


@dataclass(frozen=True)
class Portrait:
    """A rendered picture and its labels.

    Attributes:
        image: uint8 [S,S,3], sRGB.
        units: the weights that it was rendered with, of the units that are not 0.
        intensity: the factor on the emotion's weights.
        face_box: x, y, width, height in pixels, as the project's face finder would box the face.
        landmarks: five (x, y) in pixels: left eye, right eye (as seen), tip of the nose, left and right mouth corner.
        jpeg_quality: what it should be saved with.
        retakes: how often the check sent it back.
    """

    image: np.ndarray
    units: dict[str, float]
    intensity: float
    face_box: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...]
    jpeg_quality: int
    retakes: int


def photograph(head: Head, recipe: Recipe, seed: int, size: int) -> Iterator[tuple[str, Portrait]]:
    """Portraits of the person of a seed, one for each look of the recipe, size × size pixels.

    A picture follows from the seed, its emotion's name and weights, the size and the recipe's own numbers; the recipe's
    other emotions do not change it.

    Raises:
        CannotWrite: what is compiled the first time cannot be kept.
    """
    with writing(compiled_folder(), ELSEWHERE):
        sitter = Sitter(head, sample_identity(head, seed, recipe.glasses, recipe.beards))
        for look in recipe.looks:
            yield look, take_portrait(sitter, recipe, look, size)


@dataclass(frozen=True)
class Shot:
    """A performance before the camera, seen but not lit; `takes` counts from 0."""

    expression: Expression
    stage: Stage
    camera: Camera
    visible: Visible
    takes: int


def take_portrait(sitter: Sitter, recipe: Recipe, look: str, size: int) -> Portrait:
    """One portrait of a sitter."""
    fine = samples_per_pixel(size)
    key = [sitter.person.seed, zlib.crc32(look.encode())]
    view = [sitter.person.seed] if recipe.still else key  # what all but the expression follows from
    shot = _shoot(sitter, recipe, recipe.looks[look], key, fine * size)

    rng = np.random.default_rng([*view, 1])
    relit, as_photo = rng.random() < recipe.relight, rng.random() < recipe.photo
    lighting = sample_lighting(rng) if relit else sitter.lighting
    background = enlarged(sample_background(rng) if relit else sitter.background, size)
    image = render(sitter.person, shot.stage, shot.visible, shot.camera, lighting, background)
    image, quality = develop(image, rng) if as_photo else (image, JPEG_QUALITY)

    landmarks, box = labels(sitter, shot, fine)
    return Portrait(
        image,
        shot.expression.units,
        shot.expression.intensity,
        box,
        tuple((float(x), float(y)) for x, y in landmarks),
        quality,
        shot.takes,
    )


def _shoot(sitter: Sitter, recipe: Recipe, weights: Mapping[str, float], key: list[int], samples: int) -> Shot:
    """The first performance that the check finds no fault with, each with another pose; at last any."""
    for take in range(RETAKES + 1):
        rng = np.random.default_rng([*key, 0, take])
        standing = np.random.default_rng([sitter.person.seed, 0]) if recipe.still else rng
        pose = sample_pose(standing, recipe.turn)
        expression = perform(weights, recipe, pose, rng)
        stage = sitter.stage(expression, pose)
        camera = sample_camera(sitter.frame_side, stage.eyes, samples, standing, stage.features)
        projected = project(camera, stage.surface.position)
        visible = see(projected, stage.surface.triangles, samples)
        eyes, lips = project(camera, stage.eyes)[:, :2], projected[sitter.lips, :2]
        if find_fault(visible, stage.surface.material, eyes, lips, expression.units) is None:
            break
    return Shot(expression, stage, camera, visible, take)


def labels(sitter: Sitter, shot: Shot, fine: int) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """The five landmarks [5,2] and the box of the face, as in `Portrait`; `fine` samples are a pixel."""
    left_eye, right_eye = shot.stage.eyes  # the person's right is on the left of the picture
    points = np.stack([right_eye, left_eye, *shot.stage.landmarks])
    landmarks = project(shot.camera, points)[:, :2] / fine
    to_eyes = shot.camera.distance - float(shot.stage.eyes[:, 2].mean())
    around = sitter.frame_side if shot.stage.features is None else seen_frame(shot.stage.features)[2]
    side = around * shot.camera.focal / to_eyes / fine
    return landmarks, face_box(landmarks[:2], landmarks[3:].mean(axis=0), side)
