"""`make`: a recipe from nothing to a measured model with its card, in one command that goes on wherever it was stopped.

    DATA/SET/                    portraits that the recipe names and that were missing
    OUT/STAGE/                   a run for each stage, as `fit` leaves it; of one that shall keep something of the model
                                 before it (`stages.Stage.keep`) also kept.safetensors, which the next goes on from
    OUT/NAME.safetensors         the last stage's model, with its card in it
    OUT/NAME.md                  the card
    OUT/evaluation/              what was measured

What is there already is not made again: a set by its people, a stage by its last state, an evaluation by the
fingerprint of the model that it is about.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.files.replacing import replacing

from .card import card_text
from .config import TrainConfig
from .data.sources.source import rows_of
from .evaluation.evaluate import Extras, announce, evaluate
from .export import export
from .fit import fit
from .portraits.studio import render_set
from .runs.interrupt import StopWish
from .runs.run_folder import model_path, newest_clock, states_of
from .stages import Plan


def make(
    plan: Plan,
    data: Path,
    out: Path,
    *,
    minutes: float | None = None,
    workers: int = 1,
    cpu: bool = False,
    wheel: Path | None = None,
    extras: Extras | None = None,
    command: str = "",
    say: Callable[[str], None] = announce,
) -> bool:
    """Render, train, measure and write the card of `plan`; whether all of it is done.

    Args:
        data: the folder of the sources, in which missing portraits are rendered.
        out: the folder for runs, model, figures and card.
        minutes: after which it stops, everything saved: the same command goes on. An evaluation is never cut short.
        workers: processes that render; see `portraits.studio.render_set`, also for `wheel`.
        cpu: train on the CPU though a GPU is there.
        extras: what to measure besides.
        command: what the card says the model was made by.

    Raises:
        ValueError: a set, a run or a recipe cannot be used; the text says which.
        KeyboardInterrupt: Ctrl-C; what was done is kept.
    """
    clock = StopWish(minutes)  # for its clock alone: whoever trains or renders hears the signals

    def rendered(names: list[str]) -> bool:
        return all(
            render_set(plan.portraits[name].recipe, data / name, plan.portraits[name].count, plan.portraits[name].size,
                       workers, wheel, lambda: clock.time_is_up)
            for name in names
        )  # fmt: skip

    look_for_data(plan, data, out)
    start: Path | None = None  # the model that a stage goes on from; the first one's recipe may name one
    model: Path | None = None
    for number, stage in enumerate(plan.stages, start=1):
        start, config, run = model, stage.config, out / stage.name
        if start and not states_of(run):  # a run that is begun knows what it started from, wherever that is now
            config = dataclasses.replace(config, start_from=str(start))
        if not is_trained(run, config):
            say(f"stage {number} of {len(plan.stages)}: {stage.name}")
            if not rendered(sets_of(plan, config)) or clock.time_is_up:
                return False
            if not fit(config, data, run, "auto", cpu, minutes=clock.minutes_left):
                return False
        model = model_path(run)
        if stage.keep:
            model = run / "kept.safetensors"
            for warning in export(run, model, keep=stage.keep, start=start):
                say(warning)

    measured = sets_of(plan, plan.evaluation) + ([plan.still] if plan.still else [])
    if clock.time_is_up or not rendered(measured):
        return False
    finish(plan, data, out, extras or Extras(), command, say, start)
    return True


def look_for_data(plan: Plan, data: Path, out: Path) -> None:
    """Refuse before hours of rendering, with `DataError`, what would be refused after them."""
    ahead = [stage.config for stage in plan.stages if not is_trained(out / stage.name, stage.config)]
    for config in (*ahead, plan.evaluation):
        for source in config.data:
            if source.path not in plan.portraits:
                rows_of(source, data)


def is_trained(run: Path, config: TrainConfig) -> bool:
    """Whether a stage's run has come to its end."""
    return newest_clock(run) >= config.images and model_path(run).is_file()


def sets_of(plan: Plan, config: TrainConfig) -> list[str]:
    """The sets that the studio renders among a config's sources."""
    return [source.path for source in config.data if source.path in plan.portraits]


def finish(
    plan: Plan, data: Path, out: Path, extras: Extras, command: str, say: Callable[[str], None], start: Path | None
) -> None:
    """Export the last stage's model, measure it unless that was done, and write its card, beside it and into it.

    `start` is the model that the stage went on from, None for what its recipe says.
    """
    last, keep = out / plan.stages[-1].name, plan.stages[-1].keep
    model, figures = out / f"{plan.name}.safetensors", out / "evaluation"
    for warning in export(last, model, keep=keep, start=start):
        say(warning)
    if measured_fingerprint(figures) != load_checkpoint(model).fingerprint:
        still = data / plan.still if plan.still else None
        evaluate(model, plan.evaluation, data, figures, dataclasses.replace(extras, still=extras.still or still), say)
    card = card_text(plan, command, (figures / "evaluation.md").read_text(encoding="utf-8"))
    export(last, model, card, keep, start)
    with replacing(out / f"{plan.name}.md") as temporary:
        Path(temporary).write_text(card, encoding="utf-8")
    say(f"wrote {model}, {model.with_suffix('.md')} and {figures}")


def measured_fingerprint(figures: Path) -> str:
    """The fingerprint of the model that the figures in a folder are about; "" where there are none."""
    file = figures / "evaluation.json"
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
