"""What may be wrong with a data set, and what to do about each."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from statistics import median

import numpy as np

from ..faces import hash_share
from ..formats import SUFFIXES
from ..sources.row import kinds
from .census import Census, Item, people
from .finding import ADVICE, HARMS, STOPS, Finding, are, have, pictures, places, plural
from .label_findings import label_findings, name_findings
from .looks import ALIKE, GONE, GREY, SAME, coloured_alike, difference, near_pairs

FEW_PICTURES = 30  # of an emotion, to learn it from
UNEVEN = 1 / 3  # of an even share: less of a batch than that is too little for an emotion
FEW_UNSEEN = 8  # identities: as many as the sample grid shows
DOMINANT = 0.1  # share of one identity in a batch, where there are at least 1 / DOMINANT of them
EMPTY = 4.0  # contrast, 0..127
STRETCHED = 1.05


def findings(census: Census) -> list[Finding]:
    """All of them, the gravest first."""
    rules = (
        _refused, _nothing, _unreadable, label_findings, name_findings, _split, _repeats, _neutral, _numbers, _looks,
        _people, _files,
    )  # fmt: skip
    found = [finding for rule in rules for finding in rule(census)]
    return sorted(found, key=lambda finding: finding.level)


def _refused(census: Census) -> Iterator[Finding]:
    for sentence in census.refused:
        yield Finding(STOPS, sentence, "")


def _nothing(census: Census) -> Iterator[Finding]:
    if not census.items and not census.refused:
        uses = ", ".join(f"{use!r}" for use in census.other_uses)
        names = ", ".join(source.path for source in census.plan.sources) or "the recipe"
        yield Finding(
            STOPS,
            f"there are no pictures in {names}" + (f": its rows have the use {uses}" if uses else ""),
            "make a folder for each emotion and put its pictures there as EMOTION/IDENTITY.jpg (or .png, .webp …), or "
            "write an index.csv with the columns file, emotion, identity, use; a recipe lists its folders under `data`",
        )


def _unreadable(census: Census) -> Iterator[Finding]:
    broken = [item for item in census.items if item.look.problem]
    gone = [item for item in broken if item.look.problem == GONE]
    if gone:
        what = f"{pictures(gone)} named in index.csv {are(gone)} not there"
        yield Finding(STOPS, what, "put the files back, or take their rows out", places(gone))
    if broken := [item for item in broken if item not in gone]:
        examples = tuple(f"{item.row.place}: {item.look.problem}" for item in broken)
        what = f"{pictures(broken)} cannot be read"
        yield Finding(STOPS, what, "mend them or take them out; training stops at the first", examples)


def _split(census: Census) -> Iterator[Finding]:
    training, unseen = census.training(), census.unseen()
    if census.items and not training:
        yield Finding(STOPS, "all identities are held out", "lower `held_out`, or add people")
    elif census.items and len(people(unseen)) < FEW_UNSEEN:
        level, shown = (ADVICE, f"only {len(people(unseen))}") if unseen else (HARMS, "no")
        what = f"{shown} {plural(len(people(unseen)) or 2, 'identity')} held out"
        yield Finding(
            level,
            f"{what}, so figures on unseen people {'are rough' if unseen else 'cannot be had'}",
            _more_held_out(census),
        )
    missing = [name for name in census.emotions() if census.training(name) and unseen and not census.unseen(name)]
    if missing:
        what = f"nobody who is held out shows {', '.join(missing)}"
        yield Finding(ADVICE, what, "raise `held_out`, or add people who show it: it will not be measured")
    yield from _shared_names(census)


def _more_held_out(census: Census) -> str:
    """Which share would do, going by the hashes of the names."""
    shares = sorted(hash_share(name) for name in people(census.items))
    if len(shares) < 2 * FEW_UNSEEN:
        return f"add people: {len(shares)} are too few to spare {FEW_UNSEEN}; their own grid will show trained faces"
    share = math.ceil(100 * shares[FEW_UNSEEN - 1] + 0.5) / 100
    return f"`held_out: {share:g}` would hold out {sum(s < share for s in shares)} of the {len(shares)}; or add people"


def _shared_names(census: Census) -> Iterator[Finding]:
    """Two sources that know an identity by the same name, on both sides of the split."""
    sides: dict[str, set[bool]] = defaultdict(set)
    of_source: dict[str, set[str]] = defaultdict(set)
    for item in census.items:
        name = item.row.identity.removeprefix(item.source.path + "/")
        sides[name].add(item.held_out)
        of_source[name].add(item.source.path)
    torn = [name for name in sides if len(sides[name]) == 2 and len(of_source[name]) > 1]
    if torn:
        yield Finding(
            ADVICE,
            f"{len(torn):,} names of identities stand in two sources, held out in one and trained on in the other",
            "if the same name is the same person, make one source of the two; else nothing",
            tuple(sorted(torn)),
        )


def _repeats(census: Census) -> Iterator[Finding]:
    across: list[str] = []
    strangers: list[str] = []
    torn: list[str] = []
    copies: list[str] = []
    close: list[str] = []
    for first, second, exact in _pairs(census.items):
        line = f"{first.row.place} = {second.row.place}"
        if first.row.identity != second.row.identity:
            (across if first.held_out != second.held_out else strangers).append(line)
        elif first.row.emotion != second.row.emotion:
            torn.append(line)
        else:
            (copies if exact else close).append(line)
    merge = (
        "give both one identity (the same file name in each EMOTION folder, or the same `identity`), or take one out"
    )
    for level, lines, what, do in (
        (HARMS, across, "leaked: {} held out, and also trained on under another identity", merge),
        (HARMS, strangers, "{} under two identities", merge),
        (HARMS, torn, "{} under two emotions", "decide which one it shows and take the other out"),
        (ADVICE, copies, "{} twice, as exact copies", "take one out, unless it shall be drawn twice as often"),
        (ADVICE, close, "{} almost twice, of one person and emotion", "keep the better one: they teach little more"),
    ):
        if lines:
            yield Finding(
                level,
                what.format(f"{len(lines):,} {'picture is' if len(lines) == 1 else 'pictures are'} there"),
                do,
                tuple(lines),
            )


def _pairs(items: list[Item]) -> Iterator[tuple[Item, Item, bool]]:
    """Pictures that are one picture: exact copies, then those that look alike."""
    firsts: dict[bytes, dict[str, Item]] = defaultdict(dict)
    single = []
    for item in items:
        if item.look.problem:
            continue
        known = firsts[item.look.digest]
        other = known.get(item.row.identity) or next(iter(known.values()), None)
        if other is not None:
            yield other, item, True
        elif item.look.contrast >= EMPTY:
            single.append(item)
        known.setdefault(item.row.identity, item)
    number = {name: i for i, name in enumerate(people(single))}
    small = [item.look.small for item in single if item.look.small is not None]
    for i, j in near_pairs(np.array(small), np.array([number[item.row.identity] for item in single])):
        first, second = single[i], single[j]
        expressions = first.row.identity == second.row.identity and first.row.emotion != second.row.emotion
        if coloured_alike(first.look, second.look) and difference(small[i], small[j]) < (
            SAME if expressions else ALIKE
        ):
            yield first, second, False


def _neutral(census: Census) -> Iterator[Finding]:
    own = len(census.training(census.plan.neutral))
    others = [len(census.training(name)) for name in census.emotions() if name != census.plan.neutral]
    if own and others and own < median(others) / 2 and own >= FEW_PICTURES:
        yield Finding(
            HARMS,
            f"{census.plan.neutral!r} has {own:,} pictures to train on, and the others typically {median(others):,g}",
            "add pictures of faces at rest: every emotion's direction starts there",
        )


def _numbers(census: Census) -> Iterator[Finding]:
    few = {name: len(census.training(name)) for name in census.emotions() if census.training(name)}
    few = {name: count for name, count in few.items() if count < FEW_PICTURES}
    if few:
        yield Finding(
            HARMS,
            f"fewer than {FEW_PICTURES} pictures to train on: " + ", ".join(f"{k} {v}" for k, v in few.items()),
            "add pictures, render some (`ecgan-train portraits`), or make an emotion vector of them, which needs no "
            "training",
        )
    shares = {name: sum(item.drawn for item in census.training(name)) for name in census.emotions()}
    even = 1 / max(1, len(shares))
    rare = {name: share for name, share in shares.items() if 0 < share < UNEVEN * even}
    if rare:
        yield Finding(
            HARMS,
            f"imbalance: an even share of a batch is {even:.1%}, but "
            + ", ".join(f"{name} has {share:.1%}" for name, share in rare.items()),
            "add pictures of it, take some of the others out, or raise the `weight` of a source that has more of it",
        )


def _looks(census: Census) -> Iterator[Finding]:
    fine = [item for item in census.items if not item.look.problem]
    empty = [item for item in fine if item.look.contrast < EMPTY]
    if empty:
        yield Finding(HARMS, f"{pictures(empty)} show next to nothing", "take them out", places(empty))
    tiny = [item for item in fine if item.look.side < census.plan.size]
    if tiny:
        least = min(item.look.side for item in tiny)
        yield Finding(
            HARMS if len(tiny) > len(fine) / 10 else ADVICE,
            f"{pictures(tiny)} {are(tiny)} smaller than the {census.plan.size} px trained at (down to {least:.0f} px "
            "of the crop)",
            "they teach blur: find larger ones, take them out, or train at a smaller `networks.image_size`",
            places(tiny),
        )
    grey = [item for item in fine if item.look.colour < GREY and item.look.contrast >= EMPTY]
    if grey and len(grey) == len(fine):
        yield Finding(ADVICE, "all pictures are grey", "the model will make grey faces; fine if that is meant")
    elif grey:
        do = "faces may come out grey in coloured pictures: take them out or colour them"
        yield Finding(ADVICE, f"{pictures(grey)} {are(grey)} grey among coloured ones", do, places(grey))
    long = [item for item in fine if abs(math.log(item.look.stretch)) > math.log(STRETCHED)]
    if long:
        what = f"{pictures(long)} {are(long)} not square inside the crop and will be squeezed"
        yield Finding(ADVICE, what, "cut them square around the face", places(long))
    if deep := [item for item in fine if item.look.white != 255]:
        whites = sorted({f"{item.look.white:,.0f}" for item in deep}, key=len)
        yield Finding(
            ADVICE,
            f"{pictures(deep)} {have(deep)} more than 8 bits; what is white in them is {' or '.join(whites)}",
            "look at them on the sheet (--out): if one is too dark or too bright there, save it with 8 bits",
            places(deep),
        )
    if moving := [item for item in fine if item.look.moving]:
        do = "if another frame shows the emotion, save that one as a picture of its own"
        yield Finding(ADVICE, f"of {pictures(moving)} with several frames the first is used", do, places(moving))
    clear = [item for item in fine if item.look.transparent]
    if clear:
        what = f"{pictures(clear)} {are(clear)} partly transparent"
        yield Finding(ADVICE, what, "grey will show through; put a background behind them", places(clear))


def _people(census: Census) -> Iterator[Finding]:
    if not census.items:
        return
    drawn: Counter[str] = Counter()
    for item in census.training():
        drawn[item.row.identity] += item.drawn  # type: ignore[assignment]
    dominant = [(name, share) for name, share in drawn.most_common(3) if share > DOMINANT]
    if dominant and len(drawn) > 2 / DOMINANT:
        shown = ", ".join(f"{name} {share:.0%}" for name, share in dominant)
        yield Finding(ADVICE, f"single identities fill much of a batch: {shown}", "take some of their pictures out")
    shown_by: dict[str, set[str]] = defaultdict(set)
    for item in census.items:
        shown_by[item.row.identity].add(item.row.emotion)
    if len(census.emotions()) > 1 and max(map(len, shown_by.values())) < 2:
        yield Finding(
            ADVICE,
            "nobody is there in two emotions, so a changed face can't be compared with the person's real one",
            "if people are, give one person's pictures one name (EMOTION/NAME.jpg, or `identity` in index.csv)",
        )


def _files(census: Census) -> Iterator[Finding]:
    if census.passed_over:
        do = (
            f"what is read ends in {', '.join(sorted(SUFFIXES))}, and lies right inside a folder named after its "
            "emotion, or beside its label in an archive; convert or move these"
        )
        yield Finding(ADVICE, f"passed over: {kinds(census.passed_over)}", do, tuple(census.passed_over))
    if census.damaged:
        what = "an archive is not whole, so only a part of it is used"
        yield Finding(HARMS, what, "get it again, or pack it again", tuple(census.damaged))
