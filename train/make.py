"""`make`: a recipe from nothing to a measured model with its card, in one command that goes on wherever it was stopped.

    DATA/SET/                    portraits that the recipe names and that were missing
    OUT/STAGE/                   a run for each stage, as `fit` leaves it; of one that shall keep something of the model
                                 before it (`stages.Stage.keep`) also kept.safetensors, which the next goes on from
    OUT/NAME.safetensors         the last stage's model, with its card in it
    OUT/NAME.md                  the card
    OUT/evaluation/              what was measured

What is there already is not made again: a set by its people, a stage by its last state, an evaluation by the
fingerprint of the model that it is about and by what was asked.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ecgan_core.files.checkpoint import inspect_checkpoint, load_checkpoint
from ecgan_core.files.replacing import replacing

from .card import card_text
from .config import TrainConfig
from .data.sources.source import rows_of
from .evaluation.evaluate import Extras, announce, asked_of, evaluate
from .export import export, must_have_gone_on_from
from .fit import fit, must_have_something_to_grow
from .portraits.studio import render_set
from .runs.interrupt import StopWish
from .runs.run_folder import model_path, must_be_trained_by, newest_clock, states_of
from .stages import FIGURES, Plan


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
        cpu: train and measure on the CPU though a GPU is there.
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
        start, run = model, out / stage.name
        config = going_on_from(start, stage.config, run) if start else stage.config
        if start and model_path(run).is_file():
            # Not so after `keep` of the stage before was changed.
            origin = inspect_checkpoint(model_path(run)).origin
            must_have_gone_on_from(run, origin, start, load_checkpoint(start).fingerprint)
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

    to_measure = sets_of(plan, plan.evaluation) + ([plan.still] if plan.still else [])
    if clock.time_is_up or not rendered(to_measure):
        return False
    finish(plan, data, out, extras or Extras(), command, say, start, cpu)
    return True


def look_for_data(plan: Plan, data: Path, out: Path) -> None:
    """Refuse before hours of rendering, with a ValueError, what would be refused after them."""
    first, *later = plan.stages
    stages = [first, *(dataclasses.replace(stage, config=without_start(stage.config)) for stage in later)]
    ahead = [stage.config for stage in stages if not is_trained(out / stage.name, stage.config)]
    if not states_of(out / first.name):
        must_have_something_to_grow(first.config)
    to_measure = ahead or not (out / FIGURES / "evaluation.json").is_file()
    for config in (*ahead, plan.evaluation) if to_measure else ahead:
        for source in config.data:
            if source.path not in plan.portraits:
                rows_of(source, data)


def is_trained(run: Path, config: TrainConfig) -> bool:
    """Whether a run has come to its end; raises StateError if it has, but by another recipe."""
    if newest_clock(run) < config.images or not model_path(run).is_file():
        return False
    must_be_trained_by(run, config)
    return True


def going_on_from(start: Path, config: TrainConfig, run: Path) -> TrainConfig:
    """The config of a stage that goes on from the model `start`, wherever its recipe says that the first one does."""
    if states_of(run):  # a run that is begun knows what it started from, wherever that is now
        return without_start(config)
    return dataclasses.replace(config, start_from=str(start))


def without_start(config: TrainConfig) -> TrainConfig:
    """The config without what its run is to start from, which is said once."""
    return dataclasses.replace(config, start_from="")


def sets_of(plan: Plan, config: TrainConfig) -> list[str]:
    """The sets that the studio renders among a config's sources."""
    return [source.path for source in config.data if source.path in plan.portraits]


def finish(
    plan: Plan,
    data: Path,
    out: Path,
    extras: Extras,
    command: str,
    say: Callable[[str], None],
    start: Path | None,
    cpu: bool = False,
) -> None:
    """Export the last stage's model, measure it unless that was done, and write its card, beside it and into it.

    `start` is the model that the stage went on from, None for what its recipe says.
    """
    last, keep = out / plan.stages[-1].name, plan.stages[-1].keep
    model, figures = out / f"{plan.name}.safetensors", out / FIGURES
    for warning in export(last, model, keep=keep, start=start):
        say(warning)
    extras = dataclasses.replace(extras, still=extras.still or (data / plan.still if plan.still else None))
    if measured(figures) != (load_checkpoint(model).fingerprint, asked_of(extras, plan.evaluation)):
        evaluate(model, plan.evaluation, data, figures, extras, say, cpu)
    card = card_text(plan, command, (figures / "evaluation.md").read_text(encoding="utf-8"))
    export(last, model, card, keep, start)
    with replacing(out / f"{plan.name}.md") as temporary:
        Path(temporary).write_text(card, encoding="utf-8")
    say(f"wrote {model}, {model.with_suffix('.md')} and {figures}")


def measured(figures: Path) -> tuple[str, dict[str, Any]]:
    """The fingerprint of the model that the figures in a folder are about, and what was asked; nothing without any."""
    file = figures / "evaluation.json"
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
        return str(report["fingerprint"]), report["asked"]
    except (OSError, ValueError, KeyError, TypeError):
        return "", {}
