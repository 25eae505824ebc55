"""What a completion costs beside its peers, and what its parts cost: `python -m benchmarks.completion`.

Ours is what the nodes do in a picture with the bundled model, the finding of the face included, in the precision that
"auto" is here.
"""

from __future__ import annotations

import statistics
from dataclasses import replace
from functools import partial

import torch

from ecgan_core import DEFAULT_CHECKPOINT
from ecgan_core.face.batch.places import portrait_frames
from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.pipeline import ECGANPipeline

from .measuring import ours, peers
from .measuring.measure import (
    Case,
    Part,
    Rounds,
    Settings,
    Table,
    interleaved,
    ratio,
    ratio_text,
    run_alone,
    spoken,
    time_text,
)
from .measuring.memory import can_measure, in_child, peak_megabytes

OURS = "EC-GAN"
ROUNDS = {"lama": 5, "mat": 3, "diffusion": 2}  # the slow ones less often


def measure(settings: Settings) -> Part:
    part = Part()
    pipeline = ours.load(DEFAULT_CHECKPOINT, settings.device)
    part.tables.append(_own_parts(pipeline, part.figures, settings))
    if settings.peers:
        part.tables.append(_against_peers(pipeline, part, settings))
    if can_measure(settings.device):
        part.tables.append(_memory(part.figures, settings))
    return part


# Time ---


def _own_parts(pipeline: ECGANPipeline, figures: dict[str, float], settings: Settings) -> Table:
    """A completion of ours taken apart; each row's share is of one completion."""
    picture, hole = ours.portrait(256)
    batch = picture.expand(8, -1, -1, -1).contiguous(), hole.expand(8, -1, -1, -1).contiguous()
    done = ours.complete(pipeline, picture, hole)
    face, missing = ours.frames(1, pipeline.frame_size, settings.device)
    faces, all_missing = ours.frames(8, pipeline.frame_size, settings.device)
    whole = "a completion"
    cases: dict[str, Case] = {
        whole: lambda: ours.complete(pipeline, picture, hole),
        "a batch of 8": lambda: ours.complete(pipeline, *batch),
        "4 samples": lambda: ours.complete(pipeline, picture, hole, samples=4),
        "a shift": lambda: ours.shift(pipeline, done),
        "finding and levelling the face": lambda: portrait_frames(picture[0], hole[0]),
        "the networks alone": lambda: ours.networks_alone(pipeline, face, missing),
        "the networks alone, 8 faces": lambda: ours.networks_alone(pipeline, faces, all_missing),
        "loading the model from disk": lambda: load_checkpoint(
            DEFAULT_CHECKPOINT, ours.default_precision(settings.device)
        ),
    }
    if settings.quick:
        cases = {name: case for name, case in cases.items() if "8" not in name}
    found = interleaved(cases, settings.rounds(7), settings)
    figures["ratio.shift"] = ratio(found["a shift"], found[whole])
    figures["ratio.samples"] = ratio(found["4 samples"], found[whole])
    rows = [[name, time_text(found[name]), ratio_text(ratio(found[name], found[whole]))] for name in cases]
    note = f"The bundled model in {spoken(pipeline.generator.dtype)}; its file is in the cache."
    return Table(
        "A completion in a picture of 256² pixels, taken apart", ["what", "time", "of a completion"], rows, note
    )


def _against_peers(pipeline: ECGANPipeline, part: Part, settings: Settings) -> Table:
    """Each peer in turns with ours, on pictures of the same size; ratios are named ratio.PEER.SIDE."""
    rows, notes = [], []
    for kind in settings.peers:
        for side in peers.PEERS[kind][1]:
            theirs = peers.peer(kind, side, settings)
            if isinstance(theirs, str):
                notes.append(theirs)
                break
            picture, hole = ours.portrait(side)
            cases: dict[str, Case] = {OURS: _complete(pipeline, picture, hole)}
            if settings.quick and theirs.once is not theirs.run:  # no figure of it: a step is not a completion
                theirs = replace(theirs, name=f"{theirs.name}: one step only", run=theirs.once)
            cases[theirs.name] = theirs.run
            found = interleaved(cases, settings.rounds(ROUNDS[kind]), settings, {theirs.name: theirs.once})
            key = f"step.{kind}.{side}" if "one step" in theirs.name else f"ratio.{kind}.{side}"
            part.figures[key] = ratio(found[OURS], found[theirs.name])
            _draw(part, found, theirs, side)
            cells = [f"{side}²", f"{theirs.parameters / 1e6:.0f} M", theirs.precision, time_text(found[theirs.name])]
            rows.append([theirs.name, *cells, time_text(found[OURS]), ratio_text(part.figures[key])])
    columns = ["peer", "picture", "weights", "precision", "peer's time", OURS, "EC-GAN / peer"]
    precision = spoken(pipeline.generator.dtype)
    notes.insert(0, f"EC-GAN in {precision}, as the node has it. One picture; every row was measured in turns.")
    return Table("Beside what one would run instead", columns, rows, " ".join(notes))


def _complete(pipeline: ECGANPipeline, picture: torch.Tensor, hole: torch.Tensor) -> Case:
    return lambda: ours.complete(pipeline, picture, hole)


def _draw(part: Part, found: dict[str, Rounds], theirs: peers.Peer, side: int) -> None:
    """A bar for the peer, and for ours where this size has none yet."""
    drawn = {name for name, _ in part.bars}
    for name, rounds in found.items():
        label = f"{name}, {side}²"
        if label not in drawn:
            part.bars.append((label, statistics.median(rounds)))


# Memory ---


def _memory(figures: dict[str, float], settings: Settings) -> Table:
    """Peaks above the loaded model, each in a process of its own."""
    run = completion_memory if settings.quick else partial(in_child, completion_memory)
    first, again = run(settings)
    rows = [[f"{OURS}, 256²", f"{again:.0f} MB", f"{first:.0f} MB"]]
    figures["memory.completion"] = max(first, again)
    for kind in () if settings.quick else settings.peers:
        for side in peers.PEERS[kind][1]:
            answer = in_child(peer_memory, kind, side, settings)
            if answer is not None:
                rows.append([f"{answer[0]}, {side}²", f"{answer[2]:.0f} MB", f"{answer[1]:.0f} MB"])
    note = "The first run has with it what is made once: compiled kernels, and of ours the face finder's tables."
    columns = ["what", "peak above the loaded model", "in the first run"]
    return Table("Peak memory of a completion", columns, rows, note)


def completion_memory(settings: Settings) -> tuple[float, float]:
    """Peaks in MB of the first completion and of the one after it."""
    pipeline = ours.load(DEFAULT_CHECKPOINT, settings.device)
    picture, hole = ours.portrait(256)
    return _first_and_next(lambda: ours.complete(pipeline, picture, hole), settings)


def peer_memory(kind: str, side: int, settings: Settings) -> tuple[str, float, float] | None:
    """Its name, and the same peaks; both are of a peer that has run before, when its precision was chosen."""
    found = peers.peer(kind, side, settings)
    return None if isinstance(found, str) else (found.name, *_first_and_next(found.once, settings))


def _first_and_next(run: Case, settings: Settings) -> tuple[float, float]:
    if settings.busy:
        torch.set_num_threads(1)
    return peak_megabytes(run, settings.device), peak_megabytes(run, settings.device)


if __name__ == "__main__":
    run_alone(measure, "completion", __doc__)
