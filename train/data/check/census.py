"""What `check` counts: every picture of a data set or of a recipe's sources, with its label, split and look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from ...config import Source, TrainConfig
from ...mixtures import mixture_of, without_mixtures
from ..faces import is_held_out
from ..sources.hub import HUB
from ..sources.row import DataError, Row
from ..sources.source import found_in
from .looks import Look, look_at_all

DEFAULTS = TrainConfig()


@dataclass(frozen=True)
class Plan:
    """What is to be checked, and for which training."""

    sources: tuple[Source, ...]
    root: Path
    size: int
    neutral: str
    emotions: tuple[str, ...] | None = None  # of the recipe; None: a plain data set, which has those that it has
    holes: tuple[str, ...] = tuple(DEFAULTS.holes)


@dataclass(frozen=True)
class Item:
    """One picture."""

    row: Row
    source: Source
    held_out: bool
    look: Look
    drawn: float  # share of a batch; 0 where it is held out, or a mixture
    mixture: bool = False  # of two emotions: nothing to name, only a truth to draw (see `train.mixtures`)


@dataclass
class Census:
    """All pictures of a plan, and what kept a source from being read."""

    plan: Plan
    items: list[Item]
    refused: list[str] = field(default_factory=list)  # sentences
    other_uses: Counter[str] = field(default_factory=Counter)  # rows of index.csv that this training leaves out
    passed_over: list[str] = field(default_factory=list)  # files in the folders that are no pictures to us
    damaged: list[str] = field(default_factory=list)  # sentences on archives of which a part is used

    def emotions(self) -> tuple[str, ...]:
        """The recipe's, else those of the pictures, sorted."""
        return self.plan.emotions or tuple(sorted({item.row.emotion for item in self.plain()}))

    def plain(self) -> list[Item]:
        """The pictures that show one emotion."""
        return [item for item in self.items if not item.mixture]

    def training(self, emotion: str | None = None) -> list[Item]:
        """The pictures to train on."""
        return [i for i in self.plain() if not i.held_out and emotion in (None, i.row.emotion)]

    def unseen(self, emotion: str | None = None) -> list[Item]:
        """The pictures that are held out."""
        return [i for i in self.plain() if i.held_out and emotion in (None, i.row.emotion)]


def plan_of_set(name: str, size: int, neutral: str, held_out: float) -> Plan:
    """A data set by itself, named by its folder or archive, as a recipe would name it; or `hub:OWNER/NAME`."""
    if name.startswith(HUB):
        return Plan((Source(name, held_out=held_out),), Path(), size, neutral)
    path = Path(name).absolute() if Path(name).name not in ("", "..") else Path(name).resolve()
    return Plan((Source(path.name, held_out=held_out),), path.parent, size, neutral)


def plan_of_recipe(config: TrainConfig, root: Path) -> Plan:
    """All sources of a recipe."""
    holes = tuple(kind for kind, share in config.holes.items() if share > 0)
    return Plan(config.data, root, config.networks.image_size, config.neutral, config.emotions, holes)


def take(plan: Plan) -> Census:
    """Look at every picture of a plan."""
    census = Census(plan, [])
    found: list[tuple[Source, Row]] = []
    for source in plan.sources:
        try:
            there = found_in(source, plan.root)
        except DataError as error:
            census.refused.append(str(error))
            continue
        found += [(source, row) for row in there.rows]
        census.passed_over += there.passed_over
        census.damaged += there.damaged
        census.other_uses += there.other_uses
    looks = look_at_all([row for _, row in found], [source.crop for source, _ in found])
    held_out = [is_held_out(row.identity, source.held_out) for source, row in found]
    names = plan.emotions or without_mixtures(row.emotion for _, row in found)
    mixed = [mixture_of(row.emotion, names) is not None for _, row in found]
    drawn = [not out and not mixture for out, mixture in zip(held_out, mixed, strict=True)]
    trained = Counter(source.path for (source, _), is_drawn in zip(found, drawn, strict=True) if is_drawn)
    weights = sum(source.weight for source in plan.sources if trained[source.path])
    for i, (source, row) in enumerate(found):
        share = source.weight / weights / trained[source.path] if drawn[i] and weights else 0.0
        census.items.append(Item(row, source, held_out[i], looks[i], share, mixed[i]))
    return census


def people(items: Sequence[Item]) -> Counter[str]:
    """Pictures of each identity."""
    return Counter(item.row.identity for item in items)


def table(census: Census) -> str:
    """Counts per emotion and identity, and how the split falls, as text."""
    items, training, unseen = census.plain(), census.training(), census.unseen()
    width = max(12, *(len(name) + 2 for name in census.emotions())) if census.emotions() else 12
    lines = [f"  {'emotion':<{width}}{'pictures':>9}{'identities':>12}{'held out':>10}{'in a batch':>12}"]
    for name in [*census.emotions(), *sorted({i.row.emotion for i in items} - set(census.emotions()))]:
        own = [item for item in items if item.row.emotion == name]
        share = sum(item.drawn for item in own)
        shown = name + (" *" if name == census.plan.neutral else "")
        counts = f"{len(own):>9,}{len(people(own)):>12,}{len(census.unseen(name)):>10,}{share:>12.1%}"
        lines.append(f"  {shown:<{width}}{counts}")
    lines += ["  (* what the others are measured from)", ""]
    each = sorted(people(items).values())
    emotions_of: dict[str, set[str]] = {}
    for item in items:
        emotions_of.setdefault(item.row.identity, set()).add(item.row.emotion)
    paired = sum(len(own) > 1 for own in emotions_of.values())
    often = f"{each[0]}" if each[0] == each[-1] else f"{each[0]} to {each[-1]}, typically {median(each):g}"
    lines.append(f"  identities  {len(each):,}; pictures of each: {often}; {paired:,} of them in two emotions or more")
    lines.append(
        f"  split       {len(people(training)):,} identities ({len(training):,} pictures) to train on, "
        f"{len(people(unseen)):,} ({len(unseen):,}) held out, by the hash of SOURCE/IDENTITY"
    )
    if mixtures := [item for item in census.items if item.mixture]:
        lines.append(
            f"  mixtures    {len(mixtures):,} pictures halfway between two emotions: what a face that is asked for "
            "both is compared with"
        )
    if census.other_uses:
        uses = ", ".join(f"{use or 'no use'} {count:,}" for use, count in census.other_uses.most_common())
        lines.append(f"  left out    rows of index.csv with another use: {uses}")
    return "\n".join(lines)
