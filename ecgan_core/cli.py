"""The command line: complete, shift, infer and inspect, with no ComfyUI.

Exit codes: 0, 1 (it could not be done; one sentence on stderr says why) and 2 (wrong usage).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from . import DEFAULT_CHECKPOINT
from .completion import Completion
from .files.disk import in_words
from .words import printable

if TYPE_CHECKING:  # torch takes seconds to import: only once there is work to do
    from torch import Tensor

    from .pipeline import ECGANPipeline

# The options of `complete` for the settings that are numbers: how each is called, and what it is.
SETTINGS = {
    "strength": ("X", "0 neutral, 1 the emotion"),
    "samples": ("N", "how many results"),
    "seed": ("S", "of the first sample"),
    "variation": ("X", "how far samples differ"),
    "feather": ("PIXELS", "soft edge inside the mask"),
    "color_match": ("X", "how far the broad colour follows that around the mask, 0 to 1"),
    "texture": ("X", "how much of the visible skin's pores and grain large faces get, 0 to 1"),
}
NEARLY_EQUAL = 8 / 255  # colours under partial transparency are rounded


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code (wrong usage raises SystemExit(2), as argparse does)."""
    arguments = parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (ValueError, OSError) as problem:
        print(f"ecgan: {in_words(problem)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        print(f"ecgan: {str(stopped) or 'interrupted'}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="ecgan",
        description="Complete masked faces and choose their emotion (EC-GAN). A mask is white where to fill.",
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    command = commands.add_parser("complete", help="fill the masked part of a face in a picture")
    command.add_argument("image", type=Path, metavar="IMAGE")
    command.add_argument("--hole", type=Path, required=True, metavar="MASK", help="white where to fill")
    _add_model(command)
    command.add_argument("--emotion", metavar="NAME", help="default: the one that the visible part suggests")
    for name, (metavar, about) in SETTINGS.items():
        default = getattr(Completion(), name)
        command.add_argument(
            f"--{name.replace('_', '-')}", type=_setting(name), default=default, metavar=metavar,
            help=f"{about} (default {default:g})",
        )  # fmt: skip
    _add_face(command)
    command.add_argument(
        "--on-no-face", choices=("error", "leave"), default="error",
        help="where no face is found or nothing masked: say so and end with 1 (default), or write the picture as is",
    )  # fmt: skip
    command.add_argument(
        "--inside-face", action="store_true", help="end the mask where the face ends, before hair and background"
    )
    _add_out(command)
    command.set_defaults(run=complete)

    command = commands.add_parser("shift", help="move the emotion of faces that complete has saved")
    command.add_argument("latents", type=Path, nargs="+", metavar="LATENT", help="latent-0.safetensors of complete")
    direction = command.add_mutually_exclusive_group(required=True)
    direction.add_argument("--emotion", metavar="NAME", help="towards one of the model's own emotions")
    direction.add_argument("--vector", type=Path, metavar="FILE", help="along a saved emotion vector")
    command.add_argument("--strength", type=float, default=1.0, metavar="X", help="how far; below 0 away (default 1)")
    _add_model(command)
    _add_out(command)
    command.set_defaults(run=shift)

    command = commands.add_parser("infer", help="print the probability of each emotion as JSON")
    command.add_argument("image", type=Path, metavar="IMAGE")
    command.add_argument("--hole", type=Path, metavar="MASK", help="look only at what is not masked")
    _add_model(command)
    _add_face(command)
    command.set_defaults(run=infer)

    command = commands.add_parser("inspect", help="print what a checkpoint says about itself")
    command.add_argument("file", type=Path, metavar="FILE")
    command.set_defaults(run=inspect)

    _add_installed(commands)
    return top


def _add_installed(commands: argparse._SubParsersAction) -> None:
    """Commands of other packages, such as the portrait studio's: this one must not import any of them.

    An entry point in the group `ecgan.commands` names a function that takes what `add_subparsers` gave, and adds a
    command whose default `run` takes the arguments.
    """
    for command in entry_points(group="ecgan.commands"):
        try:
            command.load()(commands)
        except Exception as problem:  # somebody else's package must not take our own commands away
            print(f"ecgan: the command {command.name!r} of another package cannot be used: {problem}", file=sys.stderr)


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", type=Path, default=DEFAULT_CHECKPOINT, metavar="FILE", help="default: the bundled")


def _add_face(command: argparse.ArgumentParser) -> None:
    place = command.add_mutually_exclusive_group()
    place.add_argument(
        "--face", choices=("auto", "whole"), default="auto", help="find the face (default), or the whole picture is one"
    )
    place.add_argument("--box", type=_box, metavar="X,Y,W,H", help="the face, forehead to chin, in pixels")


def _add_out(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")


def complete(arguments: argparse.Namespace) -> None:
    """Write complete-0.png … and latent-0.safetensors … for `shift`."""
    picture, hole = read_picture(arguments.image), read_mask(arguments.hole)  # what is quick to refuse comes first

    from .face.frame import Box
    from .face.portrait import complete_portraits, render

    pipeline = _model(arguments)
    latent = complete_portraits(
        pipeline,
        picture,
        hole,
        Completion(
            arguments.emotion,
            face=_face_choice(arguments),
            on_no_face=arguments.on_no_face,
            inside_face=arguments.inside_face,
            **{name: getattr(arguments, name) for name in SETTINGS},
        ),
        boxes=Box(*arguments.box) if arguments.box else None,
        on_note=_say,
    )
    for i in range(len(latent)):  # one by one: samples of a large picture are many
        write_picture(arguments.out / f"complete-{i}.png", render(pipeline, latent[i])[0])
        latent[i].save(arguments.out / f"latent-{i}.safetensors")


def shift(arguments: argparse.Namespace) -> None:
    """Write shift-0.png … and shift-latent-0.safetensors …, one pair for each picture of each latent."""
    from .emotions.vectors import EmotionVector
    from .face.portrait import PortraitLatent, render, shift_portraits

    latents = [PortraitLatent.load(path) for path in arguments.latents]
    pipeline = _model(arguments)
    vector = EmotionVector.load(arguments.vector) if arguments.vector else pipeline.vector(arguments.emotion)
    count = 0
    for latent in latents:
        shifted = shift_portraits(pipeline, latent, vector, arguments.strength)
        for i in range(len(shifted)):
            write_picture(arguments.out / f"shift-{count}.png", render(pipeline, shifted[i])[0])
            shifted[i].save(arguments.out / f"shift-latent-{count}.safetensors")
            count += 1


def infer(arguments: argparse.Namespace) -> None:
    """Print {"emotion": probability, …}, the likeliest first."""
    picture = read_picture(arguments.image)
    hole = read_mask(arguments.hole) if arguments.hole else picture.new_zeros(1, 1, *picture.shape[-2:])
    if hole.shape[-2:] != picture.shape[-2:]:
        sizes = [f"{t.shape[-1]}×{t.shape[-2]}" for t in (hole, picture)]
        raise ValueError(f"the mask is {sizes[0]} pixels but the picture {sizes[1]}; make the mask from this picture")

    from .face.frame import Box
    from .reading import read_emotions

    pipeline = _model(arguments)
    box = Box(*arguments.box) if arguments.box else None
    [read] = read_emotions(pipeline, picture, hole, _face_choice(arguments), box=box)
    assert read is not None  # where there is no face there is an error
    probabilities = read.tolist()
    ranked = sorted(zip(pipeline.emotion_set.names, probabilities, strict=True), key=lambda pair: -pair[1])
    print(json.dumps({name: round(p, 4) for name, p in ranked}, indent=2, ensure_ascii=False))


def inspect(arguments: argparse.Namespace) -> None:
    """Print a checkpoint's card, emotions and config; its weights are not read."""
    from .files.checkpoint import inspect_checkpoint

    info = inspect_checkpoint(arguments.file)
    emotions = ", ".join(f"{name} (neutral)" if name == info.neutral else name for name in info.emotions)
    lines = [f"file: {arguments.file}", f"format: {info.format_version}", f"parameters: {info.parameters:,}"]
    lines += [f"emotions: {emotions}"] + [f"fine-tuned from: {info.origin}"] * bool(info.origin)
    for network, config in info.config.items():
        lines.append(f"{network}: {', '.join(f'{key} {value}' for key, value in config.items())}")
    lines += ["", info.card.strip() or "This checkpoint has no card."]
    print(printable("\n".join(lines)))


def read_picture(path: Path) -> Tensor:
    """[1,3,H,W] in 0..1, upright; raises ValueError if it is no picture or partly transparent."""
    colours, opaque = _pixels(path)
    if opaque.min() < 1:
        raise ValueError(f"{path} is partly transparent (RGBA); flatten it onto a background first")
    return colours


def read_mask(path: Path) -> Tensor:
    """[1,1,H,W] in 0..1 from the brightness of a picture: white is to be filled.

    Of a picture in one colour with transparency, what is transparent is to be filled if it is dark, as ComfyUI saves
    its masks, and what is painted if it is light.

    Raises:
        ValueError: it is no picture, or one whose transparency and colours could both be the mask.
    """
    colours, opaque = _pixels(path)
    brightness = colours.mean(dim=1, keepdim=True)
    if opaque.min() == 1:
        return brightness
    seen = brightness[opaque > 0.5]
    if not len(seen) or seen.max() - seen.min() > NEARLY_EQUAL:
        raise ValueError(
            f"{path} has a picture and transparency, and either could be the mask; save the mask alone, white on black"
        )
    return 1 - opaque if seen.mean() < 0.5 else opaque


def _pixels(path: Path) -> tuple[Tensor, Tensor]:
    """Colours [1,3,H,W] and opacity [1,1,H,W] of a picture, both in 0..1 and upright."""
    import numpy as np
    import torch
    from PIL import Image, ImageOps, UnidentifiedImageError

    from .files.replacing import PICTURE_FORMATS

    try:
        if not path.is_file():
            raise ValueError(f"there is no file {path}; check the name and the folder")
        with Image.open(path, formats=PICTURE_FORMATS) as file:
            image = ImageOps.exif_transpose(file)
            image.load()
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as problem:
        raise ValueError(f"{path} cannot be read as a picture; save it as PNG or JPEG again") from problem
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"{path} has more than 8 bits a channel; save it with 8")
    form = "RGBA" if image.has_transparency_data else "RGB"
    pixels = torch.from_numpy(np.array(image.convert(form), dtype=np.float32)).permute(2, 0, 1)[None] / 255
    return pixels[:, :3], pixels[:, 3:] if form == "RGBA" else torch.ones_like(pixels[:, :1])


def write_picture(path: Path, picture: Tensor) -> None:
    """Write [3,H,W] in 0..1 as an 8-bit PNG, in one step; pixels that were read from 8 bits come out as they were."""
    from PIL import Image

    from .files.replacing import write_image

    pixels = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    write_image(Image.fromarray(pixels), path, "PNG")
    print(path)


def _say(note: str) -> None:
    """What was done otherwise than asked for is no result, so it does not go where those do."""
    print(f"ecgan: {printable(note)}", file=sys.stderr)


def _model(arguments: argparse.Namespace) -> ECGANPipeline:
    from .files.checkpoint import load_checkpoint

    return load_checkpoint(arguments.model)


def _face_choice(arguments: argparse.Namespace) -> str:
    return "whole image" if arguments.face == "whole" else "auto"


def _box(text: str) -> tuple[float, ...]:
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not four numbers x,y,width,height") from None
    if width <= 0 or height <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} has no width or no height")
    return x, y, width, height


def _setting(name: str) -> Callable[[str], float]:
    """What reads a setting of `Completion` that is a number, and says what it may be where it is something else."""

    def read(text: str) -> float:
        try:
            value = type(getattr(Completion(), name))(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no such number") from None
        try:
            return getattr(Completion(**{name: value}), name)
        except ValueError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from None

    return read
