"""`python -m train …` (installed: `ecgan-train …`): check, faces, fit, evaluate, export, portraits …"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ecgan_core.files.disk import in_words
from ecgan_core.words import printable

from .portraits.command import add_to_train

if TYPE_CHECKING:
    from .evaluation.evaluate import Extras


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns 0, or 1 with one sentence on stderr when it could not be done."""
    arguments = parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except (ValueError, OSError, FloatingPointError) as error:
        print(printable(f"{arguments.prog}: {in_words(error)}"), file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        print(f"{arguments.prog}: {str(stopped) or 'stopped'}", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m train", description="Train and measure EC-GAN, and render faces.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="tell what is wrong with a data set, before an hour is spent on it")
    check.add_argument("set", metavar="DIR", help="a data set: EMOTION/IDENTITY.jpg, with an index.csv, or a .tar")
    check.add_argument("--out", type=Path, metavar="SHEET", help="a contact sheet with holes drawn, such as sheet.jpg")
    check.add_argument("--size", type=int, default=64, help="side that will be trained at (default 64)")
    check.add_argument("--neutral", default="neutral", help="the emotion that the others are measured from")
    check.add_argument("--held-out", type=float, default=0.15, help="share of identities held out (default 0.15)")
    check.add_argument("--data", type=Path, help="DIR is a recipe whose sources lie here: check them all, as it says")
    check.set_defaults(command=run_check, prog="check")

    faces = commands.add_parser("faces", help="make a set of aligned faces from photographs as they are")
    faces.add_argument("photographs", type=Path, metavar="DIR", help="EMOTION/NAME.jpg, or with an index.csv")
    faces.add_argument("--out", type=Path, required=True, metavar="SET", help="the folder to be made")
    faces.add_argument("--largest", type=int, default=512, help="side of the faces (default 512); none is enlarged")
    faces.add_argument("--least", type=int, default=96, help="leave out faces with a smaller side (default 96)")
    faces.set_defaults(command=run_faces, prog="faces")

    fit = commands.add_parser("fit", help="train a recipe")
    fit.add_argument("recipe", type=Path)
    fit.add_argument("--data", type=Path, required=True, help="the folder that the recipe's sources lie in")
    fit.add_argument("--out", type=Path, required=True, help="the run's folder; made if it is not there")
    fit.add_argument(
        "--resume",
        nargs="?",
        choices=["yes", "auto"],
        const="yes",
        default="no",
        help="go on with the run in --out; `--resume auto` begins it where there is none yet",
    )
    fit.add_argument(
        "--from",
        dest="start_from",
        metavar="CHECKPOINT",
        help="fine-tune: E and G begin as in this .safetensors, whose emotions may be others than the recipe's",
    )
    fit.add_argument("--tensorboard", action="store_true", help="write the curves for TensorBoard too, into --out")
    fit.add_argument("--cpu", action="store_true", help="use the CPU though a GPU is there")
    fit.add_argument("--minutes", type=_minutes, metavar="N", help="save and stop after N minutes; --resume goes on")
    fit.set_defaults(command=run_fit, prog="fit")

    make = commands.add_parser("make", help="a recipe from nothing to a measured model: render, train, evaluate")
    make.add_argument("recipe", type=Path)
    make.add_argument("--data", type=Path, required=True, help="the folder of the sources; missing portraits go there")
    make.add_argument("--out", type=Path, required=True, help="the folder for runs, model, figures and card")
    make.add_argument("--minutes", type=_minutes, metavar="N", help="save and stop after N minutes; run it again later")
    make.add_argument("--workers", type=_count, default=1, metavar="N", help="processes that render (default 1)")
    make.add_argument("--assets", type=Path, metavar="WHEEL", help="the head's data, where it cannot be downloaded")
    make.add_argument("--cpu", action="store_true", help="use the CPU though a GPU is there")
    add_measures(make)
    make.set_defaults(command=run_make, prog="make")

    ablations = commands.add_parser("ablations", help="train variants of a recipe on several seeds, and compare them")
    ablations.add_argument("recipe", type=Path, help="a recipe of ablations, such as recipes/ablations.yaml")
    ablations.add_argument(
        "--data", type=Path, required=True, help="the folder of the sources and of the people measured"
    )
    ablations.add_argument("--out", type=Path, required=True, help="the folder for runs, figures, table and picture")
    ablations.add_argument(
        "--minutes", type=_minutes, metavar="N", help="save and stop after N minutes; run it again later"
    )
    ablations.add_argument("--cpu", action="store_true", help="use the CPU though a GPU is there")
    ablations.add_argument("--variants", nargs="+", default=(), metavar="NAME", help="these alone, instead of all")
    add_instruments(ablations)
    ablations.set_defaults(command=run_ablations, prog="ablations")

    evaluate = commands.add_parser("evaluate", help="measure a checkpoint on held-out identities")
    evaluate.add_argument("checkpoint", type=Path)
    evaluate.add_argument("recipe", type=Path, help="the recipe that it was trained with: it says who was held out")
    evaluate.add_argument("--data", type=Path, required=True)
    evaluate.add_argument("--out", type=Path, required=True, help="folder for the figures and the grid")
    add_measures(evaluate)
    evaluate.set_defaults(command=run_evaluate, prog="evaluate")

    for command in (check, fit, evaluate):
        command.add_argument("--stage", default="", metavar="NAME", help="of a recipe that has several stages")
    for command in (check, fit, evaluate, make, ablations):
        command.add_argument(
            "--set",
            dest="overrides",
            nargs="+",
            action="extend",
            default=[],
            metavar="KEY=VALUE",
            help="change the recipe, such as --set images=1000 networks.image_size=128",
        )

    export = commands.add_parser("export", help="write a run's EMA weights as one .safetensors for LoadECGAN")
    export.add_argument("run", type=Path, help="the run's folder")
    export.add_argument("file", type=Path)
    export.add_argument("--card", type=Path, help="a Markdown file that travels in the checkpoint")
    export.add_argument(
        "--keep", type=_share, default=0.0, metavar="SHARE",
        help="share of the weights, 0 to 1, that stay those of the model which the run went on from (default 0)",
    )  # fmt: skip
    export.set_defaults(command=run_export, prog="export")

    add_to_train(commands)

    readability = commands.add_parser("readability", help="tell how well a set's emotions can be told apart")
    readability.add_argument("set", type=Path, help="a data set: EMOTION/IDENTITY.jpg, or with an index.csv")
    readability.add_argument("--size", type=int, default=64, help="side that the pictures are scaled to (default 64)")
    readability.add_argument("--images", type=int, default=16_000, help="pictures to learn from, repeats included")
    readability.add_argument("--out", type=Path, help="a JSON file for the table")
    readability.add_argument(
        "--no-mirror", action="store_true", help="for expressions with a side, such as a wink: mirror no pictures"
    )
    readability.set_defaults(command=run_readability, prog="readability")
    steadiness = commands.add_parser("steadiness", help="tell how steady a checkpoint's clips are, against the truth")
    steadiness.add_argument("checkpoint", type=Path)
    steadiness.add_argument("clip", type=Path, nargs="+", metavar="CLIP", help="a folder that `clip` rendered")
    steadiness.add_argument("--variation", type=float, default=0.5, help="of the completions, 0 to 2 (default 0.5)")
    steadiness.add_argument(
        "--noise", type=float, default=0.0, help="standard deviation, of 255, of noise added to every frame (default 0)"
    )
    steadiness.set_defaults(command=run_steadiness, prog="steadiness")
    return top


def run_check(arguments: argparse.Namespace) -> None:
    from .data.check.census import plan_of_recipe, plan_of_set
    from .data.check.report import check
    from .stages import load_stage

    if arguments.data is not None:
        plan = plan_of_recipe(load_stage(Path(arguments.set), arguments.overrides, arguments.stage), arguments.data)
    elif arguments.set.endswith((".yaml", ".yml")):
        raise ValueError(f"{arguments.set} is a recipe; give the folder that its sources lie in with --data")
    else:
        plan = plan_of_set(arguments.set, arguments.size, arguments.neutral, arguments.held_out)
    text, stops = check(plan, arguments.out)
    print(printable(text))
    if stops:
        raise ValueError(f"{stops} of these findings would stop training; mend them first")


def run_faces(arguments: argparse.Namespace) -> None:
    from .data.aligned import align_faces

    print(printable(align_faces(arguments.photographs, arguments.out, arguments.largest, arguments.least)))


def run_fit(arguments: argparse.Namespace) -> None:
    from .fit import fit
    from .stages import load_stage

    config = load_stage(arguments.recipe, arguments.overrides, arguments.stage)
    if arguments.start_from:
        config = dataclasses.replace(config, start_from=arguments.start_from)
    try:
        fit(
            config, arguments.data, arguments.out, arguments.resume, arguments.cpu, arguments.tensorboard,
            arguments.minutes,
        )  # fmt: skip
    except KeyboardInterrupt:
        if os.environ.get("RANK", "0") != "0":  # the first of several processes says it for all
            sys.exit(130)
        raise


def add_instruments(evaluate: argparse.ArgumentParser) -> None:
    """What measures, how much of it, and with which samples; the names are those of `Extras`."""
    made = "taught on the training split and written there if it does not exist"
    evaluate.add_argument("--judge", type=Path, metavar="FILE", help=f"the emotion judge; {made}")
    evaluate.add_argument("--identity", type=Path, metavar="FILE", help=f"the identity network; {made}")
    evaluate.add_argument(
        "--pairs", type=int, default=100, help="completions for each wanted emotion and hole (default 100; 0: all)"
    )
    evaluate.add_argument(
        "--variation", type=float, default=0.5, help="of all completions, 0 to 2 (default 0.5, which is the node's)"
    )


def add_measures(evaluate: argparse.ArgumentParser) -> None:
    """What `evaluate` may measure besides; the names are those of `Extras`."""
    add_instruments(evaluate)
    evaluate.add_argument(
        "--still", type=Path, metavar="SET", help="unseen people who hold still: portraits of a recipe with still: true"
    )
    evaluate.add_argument("--photographs", type=Path, metavar="DIR", help="real faces: a folder with an index.csv")
    evaluate.add_argument(
        "--brought", type=Path, metavar="DIR", help="faces as artists bring them: aligned portraits with an index.csv"
    )
    evaluate.add_argument("--clip", type=Path, nargs="+", metavar="DIR", help="rendered clips: folders of `clip`")
    evaluate.add_argument(
        "--face-api", type=Path, metavar="DIR", help="the `model` folder of the npm package @vladmandic/face-api 1.7.15"
    )
    evaluate.add_argument(
        "--photograph-emotion", default="happy", metavar="NAME", help="what photographs are shifted to (default happy)"
    )


def run_evaluate(arguments: argparse.Namespace) -> None:
    from .evaluation.evaluate import evaluate
    from .stages import load_plan

    plan, extras = load_plan(arguments.recipe, arguments.overrides), _extras(arguments)
    if extras.still is None and plan.still and (arguments.data / plan.still).is_dir():
        extras = dataclasses.replace(extras, still=arguments.data / plan.still)
    config = plan.measured_on(arguments.stage)
    print(evaluate(arguments.checkpoint, config, arguments.data, arguments.out, extras))


def _extras(arguments: argparse.Namespace) -> Extras:
    from .evaluation.evaluate import Extras

    return Extras(**{field.name: getattr(arguments, field.name) for field in dataclasses.fields(Extras)})


def run_make(arguments: argparse.Namespace) -> None:
    from .make import make
    from .stages import load_plan

    plan = load_plan(arguments.recipe, arguments.overrides)
    command = f"python -m train make {arguments.recipe.as_posix()} --data DATA --out OUT"
    if arguments.overrides:
        command += f" --set {' '.join(arguments.overrides)}"
    done = make(
        plan, arguments.data, arguments.out, minutes=arguments.minutes, workers=arguments.workers, cpu=arguments.cpu,
        wheel=arguments.assets, extras=_extras(arguments), command=command,
    )  # fmt: skip
    if not done:
        print("the time is up; the same command goes on from there")


def run_ablations(arguments: argparse.Namespace) -> None:
    from .ablations.ablate import ablate
    from .ablations.recipe import load_ablations
    from .evaluation.evaluate import Extras

    extras = Extras(arguments.judge, arguments.identity, arguments.pairs, variation=arguments.variation)
    plan = load_ablations(arguments.recipe, arguments.overrides, arguments.variants)
    done = ablate(plan, arguments.data, arguments.out, minutes=arguments.minutes, cpu=arguments.cpu, extras=extras)
    if not done:
        print("the time is up; the same command goes on from there")


def run_export(arguments: argparse.Namespace) -> None:
    from .export import export

    card = arguments.card.read_text() if arguments.card else ""
    for warning in export(arguments.run, arguments.file, card, arguments.keep):
        print(f"{arguments.prog}: {warning}", file=sys.stderr)


def run_readability(arguments: argparse.Namespace) -> None:
    from .evaluation.readability import readability

    mirror = not arguments.no_mirror
    print(readability(arguments.set, arguments.out, arguments.size, arguments.images, mirror=mirror))


def run_steadiness(arguments: argparse.Namespace) -> None:
    from .evaluation.clips.steadiness import steadiness

    print(printable(steadiness(arguments.checkpoint, arguments.clip, arguments.variation, arguments.noise)))


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 < minutes < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes")
    return minutes


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 1")
    return share


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 256")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
