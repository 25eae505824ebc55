"""The card of a model that `make` made: what it is, what it was made from and by which command, and its figures."""

from __future__ import annotations

import dataclasses

from .portraits.recipe import Recipe
from .stages import Plan, PortraitSet, Stage


def card_text(plan: Plan, command: str, figures: str) -> str:
    """The card as Markdown.

    Args:
        command: what made the model, as one would type it.
        figures: the text of `evaluation.report`.
    """
    config = plan.stages[-1].config
    *others, last = config.emotions
    side = config.networks.image_size
    parts = [
        f"# {plan.name}",
        f"An EC-GAN model of comfy_ecgan, for upright faces at {side} × {side} pixels, with the emotions "
        f"{', '.join(others)} and {last}; {config.neutral} is where they start.",
        "## Made from",
        _stages(plan),
        _sets(plan),
        f"    {command}",
        "## Figures",
        figures.strip(),
        plan.notes.strip(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _stages(plan: Plan) -> str:
    rows = [f"| {stage.name} | {stage.config.images:,} | {_sources(stage)}{_kept(stage)} |" for stage in plan.stages]
    return "\n".join(["| stage | images | drawn from, with how often |", "|---|---|---|", *rows])


def _sources(stage: Stage) -> str:
    return ", ".join(f"{source.path} {source.weight:g}" for source in stage.config.data)


def _kept(stage: Stage) -> str:
    return f"; {stage.keep:.0%} of its weights are those of the stage before" if stage.keep else ""


def _sets(plan: Plan) -> str:
    rows = [f"| {name} | {_people(rendered)} | {_changes(rendered)} |" for name, rendered in plan.portraits.items()]
    head = [
        "| rendered by the portrait studio, from CC0 assets | people × looks | settings |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows]) if rows else ""


def _people(rendered: PortraitSet) -> str:
    return f"{rendered.count:,} × {len(rendered.recipe.looks)}, from seed {rendered.recipe.seed}"


def _changes(rendered: PortraitSet) -> str:
    """The settings that are not as usual, by which these pictures differ from those of another set."""
    usual = {field.name: field.default for field in dataclasses.fields(Recipe)}
    said = {key: value for key, value in vars(rendered.recipe).items() if value != usual[key]}
    names = [key for key in said if key not in ("emotions", "neutral", "seed")]
    return ", ".join(key if said[key] is True else f"{key} {said[key]}" for key in names) or "as usual"
