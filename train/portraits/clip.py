"""A clip of one person: emotions over time, a head that turns, eyes that blink, a light that moves. Its truth is exact.

DIR/frames/0000.png …    the frames
DIR/index.csv            a row for each (see COLUMNS)
DIR/clip.webp            all of them, to look at
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ecgan_core.emotions.keyframes import Weights, parse_keyframes, timeline
from ecgan_core.files.disk import writing
from ecgan_core.files.replacing import replacing, write_image

from ..cache_folder import ELSEWHERE
from .expression import HIGHEST, perform
from .head.mesh import Head
from .head.pose import held, rotation
from .identity import sample_identity
from .kernels.compiled import compiled_folder
from .kernels.scene import Lights
from .picture.background import enlarged
from .picture.camera import project, sample_camera
from .picture.raster import see
from .portrait import Shot, labels
from .recipe import Recipe
from .render import render, samples_per_pixel
from .sitter import Sitter

FRAMES, INDEX, FILM = "frames", "index.csv", "clip.webp"
COLUMNS = ("file", "weights", "yaw", "blink", "box_x", "box_y", "box_width", "box_height")

AROUND = 1.4  # side of the picture, in sides of the model's frame
LIDS = (0.45, 1.0, 1.0, 0.7, 0.3)  # how far they are closed in the frames of a blink


class ClipError(ValueError):
    """The clip cannot be made; the text says why, and what to do."""


@dataclass(frozen=True)
class Motion:
    """What moves besides the emotion, there and back once over a clip.

    Args:
        turn: degrees that the head turns to either side.
        blink: frames from one blink to the next; 0 for eyes that never close.
        light: degrees that the key light moves to either side.
    """

    turn: float = 15.0
    blink: int = 24
    light: float = 35.0

    def yaw(self, frame: int, frames: int) -> float:
        """Degrees that the head is turned to +x."""
        return self.turn * math.sin(2 * math.pi * frame / frames)

    def closed(self, frame: int) -> float:
        """How far the lids are closed, 0..1; the first blink is half a pause from the start."""
        since = (frame - self.blink // 2) % self.blink if self.blink else len(LIDS)
        return LIDS[since] if since < len(LIDS) else 0.0

    def lit(self, lights: Lights, frame: int, frames: int) -> Lights:
        """The lights, the key light moved."""
        moved = lights.direction.copy()
        moved[0] = rotation(-self.light * math.cos(2 * math.pi * frame / frames), 0, 0) @ moved[0]
        return lights._replace(direction=moved)


@dataclass(frozen=True)
class ClipFrame:
    """A frame, uint8 [S,S,3], sRGB, and what it shows; `face_box` as in `Portrait`."""

    image: np.ndarray
    weights: Weights
    yaw: float
    blink: float
    face_box: tuple[float, float, float, float]


def film(head: Head, recipe: Recipe, course: Sequence[Weights], size: int, motion: Motion) -> Iterator[ClipFrame]:
    """A clip of the person of the recipe's seed: as many frames as `course` has, size × size pixels.

    Emotions are as written: of what varies from picture to picture in a set, nothing does.

    Args:
        course: for each frame, how far towards each of the recipe's emotions; neutral is 0.

    Raises:
        CannotWrite: what is compiled the first time cannot be kept.
    """
    plain = dataclasses.replace(recipe, intensity=(1.0, 1.0), jitter=0.0, asymmetry=0.0)
    with writing(compiled_folder(), ELSEWHERE):
        sitter = Sitter(head, sample_identity(head, recipe.seed, recipe.glasses, recipe.beards))
        fine = samples_per_pixel(size)
        rest = held(0, 0, 0)
        standing = np.random.default_rng([recipe.seed, 0])
        eyes = rest.with_head(sitter.eye_centres)
        camera = sample_camera(AROUND * sitter.frame_side, eyes, fine * size, standing)
        background = enlarged(sitter.background, size)
        for number, weights in enumerate(course):
            pose, blink = held(motion.yaw(number, len(course)), 0, 0), motion.closed(number)
            # The same draws for each frame: what is restless in a face is so in all of them.
            expression = perform(units_of(recipe, weights, blink), plain, pose, np.random.default_rng(recipe.seed))
            stage = sitter.stage(expression, pose)
            projected = project(camera, stage.surface.position)
            visible = see(projected, stage.surface.triangles, camera.size)
            lights = motion.lit(sitter.lighting.lights, number, len(course))
            lighting = dataclasses.replace(sitter.lighting, lights=lights)
            image = render(sitter.person, stage, visible, camera, lighting, background)
            _, box = labels(sitter, Shot(expression, stage, camera, visible, 0), fine)
            yield ClipFrame(image, weights, pose.yaw, blink, box)


def units_of(recipe: Recipe, weights: Mapping[str, float], blink: float) -> dict[str, float]:
    """Weights by face unit of a mix of the recipe's emotions with eyes that are closing.

    All units of the recipe are among them, also at 0: what is drawn at random for a face depends on which there are.
    """
    rest = recipe.emotions[recipe.neutral]
    units = {unit: rest.get(unit, 0.0) for emotion in recipe.emotions.values() for unit in emotion}
    for name, weight in weights.items():
        for unit in units:
            units[unit] += weight * (recipe.emotions[name].get(unit, 0.0) - rest.get(unit, 0.0))
    for unit in ("eyeBlinkLeft", "eyeBlinkRight"):
        units[unit] = max(units.get(unit, 0.0), blink)
    return {unit: min(max(weight, 0.0), HIGHEST) for unit, weight in units.items()}


def course_of(keyframes: Path, recipe: Recipe, frames: int, easing: str) -> list[Weights]:
    """What each of the frames shows, from a file of keyframes; `frames` 0 is up to the last of them.

    Raises:
        ClipError: the file cannot be read, or a line of it is no keyframe.
    """
    try:
        keys = parse_keyframes(keyframes.read_text(encoding="utf-8-sig"), recipe.emotions, recipe.neutral)
    except OSError as error:
        raise ClipError(f"cannot read the keyframes {keyframes}: {error.strerror}; check the name") from error
    except ValueError as error:  # of what is no UTF-8 as well
        raise ClipError(f"the keyframes {keyframes}: {error}") from error
    return timeline(keys, frames or keys[-1].frame + 1, easing)


def write_clip(shots: Iterator[ClipFrame], folder: Path, rate: float) -> int:
    """Write the frames as they come, then the index and the film; the number of frames.

    Raises:
        ClipError: there is something in the folder already.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise ClipError(f"there is something in {folder} already; give another --out")
    rows, pictures = [], []
    for number, shot in enumerate(shots):
        file = f"{FRAMES}/{number:04d}.png"
        picture = Image.fromarray(shot.image)
        write_image(picture, folder / file, "PNG")
        shown = written(shot.weights)
        rows.append((file, shown, f"{shot.yaw:.2f}", f"{shot.blink:g}", *(f"{n:.2f}" for n in shot.face_box)))
        pictures.append(picture)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    with replacing(folder / INDEX) as temporary:
        Path(temporary).write_text(text.getvalue(), encoding="utf-8", newline="")
    options = {"duration": round(1000 / rate), "loop": 0, "quality": 85}
    write_image(pictures[0], folder / FILM, "WEBP", save_all=True, append_images=pictures[1:], **options)
    return len(rows)


def written(weights: Weights) -> str:
    """Weights as a line of keyframes has them, `0.6 happy - 0.2 angry`; "" where all are 0.

    With as many decimals as a timeline has, and never with an exponent, which no keyframe is read with.
    """
    text = ""
    for name, weight in weights.items():
        size = f"{abs(weight):.6f}".rstrip("0").rstrip(".")
        if size != "0":
            sign = ("-" if weight < 0 else "") if not text else " - " if weight < 0 else " + "
            text += f"{sign}{size} {name}"
    return text
