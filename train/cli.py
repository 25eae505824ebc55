"""`python -m train …` (installed: `ecgan-train …`): fit, evaluate, export, portraits, preview, readability."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import yaml

from .portraits.command import add_to_train


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns 0, or 1 with one sentence on stderr when it could not be done."""
    arguments = parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"{arguments.prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        print(f"{arguments.prog}: {str(stopped) or 'stopped'}", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m train", description="Train and measure EC-GAN, and render faces.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    fit = commands.add_parser("fit", help="train a recipe")
    fit.add_argument("recipe", type=Path)
    fit.add_argument("--data", type=Path, required=True, help="the folder that the recipe's sources lie in")
    fit.add_argument("--out", type=Path, required=True, help="the run's folder; made if it is not there")
    fit.add_argument("--resume", action="store_true", help="go on with the run in --out")
    fit.add_argument("--cpu", action="store_true", help="use the CPU though a GPU is there")
    fit.set_defaults(command=run_fit, prog="fit")

    evaluate = commands.add_parser("evaluate", help="measure a checkpoint on held-out identities")
    evaluate.add_argument("checkpoint", type=Path)
    evaluate.add_argument("recipe", type=Path, help="the recipe that it was trained with: it says who was held out")
    evaluate.add_argument("--data", type=Path, required=True)
    evaluate.add_argument("--out", type=Path, required=True, help="folder for the figures and the grid")
    evaluate.add_argument("--judge", type=Path, help="the judge's file; trained and written there if it does not exist")
    evaluate.set_defaults(command=run_evaluate, prog="evaluate")

    for command in (fit, evaluate):
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
    export.set_defaults(command=run_export, prog="export")

    add_to_train(commands)

    readability = commands.add_parser("readability", help="tell how well a set's emotions can be told apart")
    readability.add_argument("set", type=Path, help="a data set: EMOTION/IDENTITY.jpg, or with an index.csv")
    readability.add_argument("--size", type=int, default=64, help="side that the pictures are scaled to (default 64)")
    readability.add_argument("--images", type=int, default=16_000, help="pictures to learn from, repeats included")
    readability.add_argument("--out", type=Path, help="a JSON file for the table")
    readability.set_defaults(command=run_readability, prog="readability")
    return top


def run_fit(arguments: argparse.Namespace) -> None:
    from .config import load_config
    from .fit import STATE, Trainer, describe

    config = load_config(arguments.recipe, arguments.overrides)
    out: Path = arguments.out
    if not arguments.resume and (out / STATE).exists():
        raise ValueError(f"{out} already holds a run; give another --out, or --resume to go on with that one")
    signal.signal(signal.SIGTERM, stop)  # as Ctrl-C
    trainer = Trainer(config, arguments.data, out, cpu=arguments.cpu)
    out.mkdir(parents=True, exist_ok=True)
    if arguments.resume:
        trainer.resume()
    resolved = yaml.safe_dump(config.to_dict(), sort_keys=False)
    (out / "config.yaml").write_text(resolved)
    trainer.say(resolved + describe(trainer.faces, config))
    try:
        trainer.run()
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped; go on from the last saved state with --resume") from None


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def run_evaluate(arguments: argparse.Namespace) -> None:
    from .config import load_config
    from .evaluate import evaluate

    config = load_config(arguments.recipe, arguments.overrides)
    print(evaluate(arguments.checkpoint, config, arguments.data, arguments.out, arguments.judge))


def run_export(arguments: argparse.Namespace) -> None:
    from .export import export

    export(arguments.run, arguments.file, arguments.card.read_text() if arguments.card else "")


def run_readability(arguments: argparse.Namespace) -> None:
    from .readability import readability

    print(readability(arguments.set, arguments.out, arguments.size, arguments.images))


if __name__ == "__main__":
    sys.exit(main())
