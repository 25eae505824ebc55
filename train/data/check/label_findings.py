"""What may be wrong with the names of emotions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..names import almost_same, in_yaml, nearest, renaming, same_but_for_writing
from .census import Census
from .finding import ADVICE, HARMS, STOPS, Finding, pictures


def label_findings(census: Census) -> Iterator[Finding]:
    """Names that the recipe does not know, emotions without pictures, no neutral one."""
    if not census.items:
        return
    counts = Counter(item.row.emotion for item in census.plain())
    recipe, neutral = census.plan.emotions, census.plan.neutral
    if recipe is not None:
        for name in sorted(counts.keys() - set(recipe)):
            rename = f"`labels: {renaming(name, recipe)}`"
            yield Finding(
                STOPS,
                f"{counts[name]:,} pictures are labelled {name!r}, which is none of the recipe's emotions",
                f"add it to `emotions`, rename it with {rename} in its source, or leave it out with "
                f'`labels: {{{in_yaml(name)}: ""}}`',
            )
        for name in recipe:
            if name not in counts:
                do = "add some, or take it out of `emotions`"
                yield Finding(STOPS, f"there is no picture of {name!r}, an emotion of the recipe", do)
    elif neutral not in counts:
        hint = f"--neutral {nearest(neutral, counts) or 'NAME'} (in a recipe: `neutral`)"
        yield Finding(
            STOPS,
            f"no emotion is called {neutral!r}; there are {', '.join(map(repr, sorted(counts)))}",
            f"every emotion is measured from it: add pictures of faces at rest, or say which one is with {hint}",
        )
    if idle := [i for i in census.items if i.mixture and recipe is not None and not i.source.paired]:
        yield Finding(
            ADVICE,
            f"{pictures(idle)} of mixtures, such as {idle[0].row.emotion}, will not be used",
            "if their people hold still from picture to picture, say `paired: true` in their source",
        )
    if recipe is None and len(counts) < 2:
        yield Finding(STOPS, f"there is one emotion only, {next(iter(counts))}", "add pictures of another")


def name_findings(census: Census) -> Iterator[Finding]:
    """Names of which two may mean one emotion; what a recipe does not know is told by `_labels`."""
    counts = Counter(item.row.emotion for item in census.plain())
    names = set(counts) if census.plan.emotions is None else set(counts) & set(census.plan.emotions)
    for level, pairs, how in (
        (HARMS, same_but_for_writing(names), "differ in nothing but how they are written"),
        (ADVICE, almost_same(names), "are almost one name"),
    ):
        for pair in pairs:
            often, rare = sorted(pair, key=lambda name: -counts[name])
            yield Finding(
                level,
                f"{rare!r} ({counts[rare]:,}) and {often!r} ({counts[often]:,} pictures) {how}, and are two emotions",
                f"if they are one, rename {rare!r} to {often!r}: the folder, the rows in index.csv, or in a recipe's "
                f"source with `labels: {renaming(rare, [often])}`",
            )
