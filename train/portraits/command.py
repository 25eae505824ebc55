"""The studio's commands: a set of portraits, a quick look at one person, and a clip of one.

`python -m train` has them as `portraits`, `preview` and `clip`; `ecgan`, which knows nothing of this package, finds
`add_to_ecgan` among the installed entry points and has them as `portraits make`, `portraits preview` and `portraits
clip`. Importing this module costs nothing: the renderer is imported when there is something to draw.
"""

from __future__ import annotations

import argparse
import dataclasses
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .recipe import Recipe

SIZES = (32, 2048)
MOST_PEOPLE = 100_000
MOST_FRAMES = 4096
EASINGS = ("linear", "ease", "hold")  # of ecgan_core.emotions.keyframes, not imported
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def add_to_train(commands: argparse._SubParsersAction) -> None:
    """`python -m train portraits …`, `python -m train preview …` and `python -m train clip …`."""
    _make(commands.add_parser("portraits", help="render a set of labelled portraits from a recipe of emotions"))
    _preview(commands.add_parser("preview", help="one rendered person in every emotion of a recipe, in seconds"))
    _clip(commands.add_parser("clip", help="one rendered person whose emotion moves from keyframe to keyframe"))


def add_to_ecgan(commands: argparse._SubParsersAction) -> None:
    """`ecgan portraits make …`, `ecgan portraits preview …` and `ecgan portraits clip …`."""
    studio = commands.add_parser("portraits", help="render faces in emotions of your own")
    inside = studio.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _make(inside.add_parser("make", help="render a set of labelled portraits from a recipe of emotions"))
    _preview(inside.add_parser("preview", help="one rendered person in every emotion of a recipe, in seconds"))
    _clip(inside.add_parser("clip", help="one rendered person whose emotion moves from keyframe to keyframe"))


def _make(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the set's folder; it may be begun")
    parser.add_argument("--count", type=_number(1, MOST_PEOPLE), required=True, metavar="N", help="how many identities")
    parser.add_argument(
        "--size", type=_number(*SIZES), default=256, metavar="PIXELS", help="of a picture's side (default 256)"
    )
    parser.add_argument("--workers", type=_number(1, 256), default=1, metavar="N", help="processes (default 1)")
    _run_by(parser, run_portraits, "portraits")


def _preview(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument("--people", type=_number(1, 50), default=1, metavar="N", help="how many rows (default 1)")
    parser.add_argument(
        "--size", type=_number(*SIZES), default=256, metavar="PIXELS", help="of a picture's side (default 256)"
    )
    parser.add_argument("--out", type=_picture, default=Path("preview.png"), metavar="FILE", help="default preview.png")
    parser.add_argument(
        "--plain", action="store_true", help="the weights as written, in one light, with nothing that varies by picture"
    )
    _run_by(parser, run_preview, "preview")


def _clip(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument(
        "--keyframes", type=Path, required=True, metavar="FILE", help="a line for each, such as 12: happy 0.8"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for the frames")
    parser.add_argument(
        "--frames", type=_number(1, MOST_FRAMES), metavar="N", help="how many (default: up to the last keyframe)"
    )
    parser.add_argument(
        "--size", type=_number(*SIZES), default=512, metavar="PIXELS", help="of a frame's side (default 512)"
    )
    parser.add_argument("--easing", choices=EASINGS, default="ease", help="between keyframes (default ease)")
    parser.add_argument("--rate", type=_number(1, 120), default=24, metavar="N", help="frames a second (default 24)")
    for name, default, what in (
        ("turn", 15, "degrees that the head turns to either side"),
        ("light", 35, "degrees that the key light moves to either side"),
        ("blink", 24, "frames from one blink to the next, 0 for none"),
    ):
        parser.add_argument(
            f"--{name}", type=_number(0, 90), default=default, metavar="N", help=f"{what} (default {default})"
        )
    _run_by(parser, run_clip, "clip")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", type=Path, metavar="RECIPE", help="such as recipes/emotions/basic7.yaml")
    parser.add_argument(
        "--seed", type=_number(0, 2**62), metavar="S", help="of the first identity (default: the recipe's)"
    )
    parser.add_argument("--assets", type=Path, metavar="WHEEL", help="the head's data, where it cannot be downloaded")


def _run_by(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], None], name: str) -> None:
    def run_if_installed(arguments: argparse.Namespace) -> None:
        try:
            run(arguments)
        except ModuleNotFoundError as error:
            raise ValueError(
                f"the portrait studio needs the package {error.name}; install what it needs with the `train` extra, "
                "as in `pip install 'comfy-ecgan[train]'`"
            ) from error

    # ecgan looks for `run`, train for the other two.
    parser.set_defaults(run=run_if_installed, command=run_if_installed, prog=name)


def run_portraits(arguments: argparse.Namespace) -> None:
    """Render a set, or go on with it."""
    recipe = _recipe(arguments)
    from .studio import render_set

    signal.signal(signal.SIGTERM, _stop)  # as Ctrl-C
    render_set(recipe, arguments.out, arguments.count, arguments.size, arguments.workers, arguments.assets)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def run_preview(arguments: argparse.Namespace) -> None:
    """Draw a sheet of a few people in every emotion, and print where it is."""
    recipe = _recipe(arguments)
    from .workers import single_threaded

    single_threaded()
    from PIL import Image

    from ecgan_core.files.replacing import write_image

    from .head.mesh import load_head
    from .portrait import photograph
    from .sheet import contact_sheet

    if arguments.plain:
        recipe = dataclasses.replace(recipe, intensity=(1.0, 1.0), jitter=0.0, asymmetry=0.0, relight=0.0, photo=0.0)
    head = load_head(arguments.assets)
    seeds = range(recipe.seed, recipe.seed + arguments.people)
    people = [dict(photograph(head, recipe, seed, arguments.size)) for seed in seeds]
    looks = list(recipe.looks)
    pictures = [[Image.fromarray(person[look].image) for look in looks] for person in people]
    sheet = contact_sheet(pictures, looks, [f"seed {seed}" for seed in seeds], arguments.size)
    write_image(sheet, arguments.out, FORMATS[arguments.out.suffix.lower()])
    print(arguments.out)


def run_clip(arguments: argparse.Namespace) -> None:
    """Draw a clip frame by frame, and print where it is."""
    recipe = _recipe(arguments)
    from .workers import single_threaded

    single_threaded()
    from .clip import FILM, Motion, course_of, film, write_clip
    from .head.mesh import load_head

    course = course_of(arguments.keyframes, recipe, arguments.frames or 0, arguments.easing)
    motion = Motion(arguments.turn, arguments.blink, arguments.light)
    shots = film(load_head(arguments.assets), recipe, course, arguments.size, motion)
    write_clip(shots, arguments.out, arguments.rate)
    print(arguments.out / FILM)


def _recipe(arguments: argparse.Namespace) -> Recipe:
    from .recipe import load_recipe

    recipe = load_recipe(arguments.recipe)
    return recipe if arguments.seed is None else dataclasses.replace(recipe, seed=arguments.seed)


def _number(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low} to {high}")
        return int(text)

    return number


def _picture(text: str) -> Path:
    if Path(text).suffix.lower() not in FORMATS:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a picture; end it in {', '.join(FORMATS)}")
    return Path(text)
