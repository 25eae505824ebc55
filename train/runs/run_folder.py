"""A run is a folder. What lies in it, which of its states to go on from, and when not to.

config.yaml                what decides the run
state-IMAGES.safetensors   from which it goes on exactly; the newest few
NAME.safetensors           the model so far, NAME being the folder's
grid-IMAGES.jpg            held-out faces
metrics.jsonl losses.png   the losses
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from ecgan_core.files.disk import writing
from ecgan_core.files.replacing import replacing

from ..config import ConfigError, TrainConfig, differences, from_dict
from ..data.faces import FaceSet
from ..recipe_tree import read_tree
from .state import DamagedState, State, StateError, read_state

METRICS = "metrics.jsonl"
MAY_CHANGE = {"log_every", "grid_every", "save_every", "keep_states"}  # what to write and when, and nothing else


def state_path(run: Path, images: int) -> Path:
    """The file of the state at `images` on the clock."""
    return run / f"state-{images:09d}.safetensors"


def model_path(run: Path) -> Path:
    """The file of the run's model: named after the folder, as it is what `LoadECGAN` will list."""
    return run / f"{run.resolve().name or 'model'}.safetensors"


def clock_of(path: Path) -> int | None:
    """The images on the clock of a saved state, by its name; None for any other file."""
    named = re.fullmatch(r"state-(\d+)\.safetensors", path.name)
    if named:
        return int(named[1])
    return -1 if path.name == "state.safetensors" else None  # as version 0.1 called its only one


def states_of(run: Path) -> list[Path]:
    """The saved states of a run, newest first."""
    found = [(clock, path) for path in run.glob("state*.safetensors") if (clock := clock_of(path)) is not None]
    return [path for _, path in sorted(found, reverse=True)]


def newest_clock(run: Path) -> int:
    """The images on the clock of the newest saved state, by its name; -1 where there is none."""
    return max((clock_of(path) or 0 for path in states_of(run)), default=-1)


def is_begun(run: Path) -> bool:
    """Whether the folder holds something that a new run would overwrite."""
    files = (run / METRICS, model_path(run))
    return bool(states_of(run)) or any(run.glob("grid-*.jpg")) or any(file.exists() for file in files)


def newest_state(run: Path) -> tuple[State, list[DamagedState]]:
    """The newest whole state of a run, and what is wrong with those that are newer.

    Raises:
        StateError: there is none.
    """
    damaged: list[DamagedState] = []
    for path in states_of(run):
        try:
            return read_state(path), damaged
        except DamagedState as problem:
            damaged.append(problem)
    if damaged:
        raise StateError(f"{run} has no state that is whole: {'; '.join(map(str, damaged))}; start a new run")
    raise StateError(
        f"there is no run to go on with in {run}: it holds no state-….safetensors; "
        "give the folder that `fit --out` wrote to"
    )


def set_aside_after(run: Path, state: State) -> None:
    """Rename the damaged states that are newer than `state`, lest they be taken for the newest again."""
    for path in states_of(run):
        if path == state.path:
            return
        path.rename(path.with_name(f"{path.name}.damaged"))


def drop_old_states(run: Path, keep: int) -> None:
    """Delete all saved states but the `keep` newest."""
    for path in states_of(run)[keep:]:
        path.unlink()


def config_of(state: State) -> TrainConfig:
    """The config that a state was saved with; keys that it did not know yet have their defaults.

    Raises:
        StateError: it has keys that this version does not know any more.
    """
    try:
        return _saved(state.meta["config"])
    except (ConfigError, KeyError, TypeError) as problem:
        raise StateError(f"{state.path} was saved by another version of the trainer: {problem}") from problem


def _saved(tree: dict[str, Any]) -> TrainConfig:
    """The config that a run wrote down; one that does not know of deviations has none."""
    return from_dict(tree | {"networks": {"noise_rank": 0} | tree["networks"]})


def must_be_trained_by(run: Path, config: TrainConfig) -> None:
    """Raise StateError if a run that has come to its end did so by another recipe; the text names keys and values."""
    try:
        before = _saved(read_tree(run / "config.yaml"))
    except (ConfigError, KeyError, TypeError) as problem:
        raise StateError(
            f"{run} was trained by another version of the trainer: {problem}; give another --out"
        ) from problem
    if listed := _changed(before, config):
        raise StateError(f"{run} was trained by another recipe: {listed}; give another --out, or remove that folder")


def _changed(before: TrainConfig, now: TrainConfig) -> str:
    """What a run may not change and `now` does, each key with both values; "" for nothing."""
    now = dataclasses.replace(now, start_from=now.start_from or before.start_from)  # said once, at the start
    changed = {key: values for key, values in differences(before, now).items() if key not in MAY_CHANGE}
    return ", ".join(f"{key} was {was!r} and is now {now!r}" for key, (was, now) in changed.items())


def resumed_config(run: Path, state: State, now: TrainConfig) -> TrainConfig:
    """The config to go on with: `now`, if it differs from the state's only in what may change.

    Raises:
        StateError: it differs in more; the text names the keys and both values.
    """
    before = config_of(state)
    if listed := _changed(before, now):
        raise StateError(
            f"the run in {run} was made with another recipe: {listed}; go on with what it was started with, or start "
            f"a new run in another folder, with --from {model_path(run)} if it shall build on this one"
        )
    return dataclasses.replace(now, start_from=now.start_from or before.start_from)


def mark_of(faces: FaceSet) -> str:
    """What tells a data set from another: its size, and a digest of its labels."""
    labels = hashlib.sha256(faces.emotion.numpy().tobytes()).hexdigest()[:8]
    return f"{len(faces):,} pictures ({labels})"


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """The lines of `metrics.jsonl`; what a kill left of a last line is left out."""
    rows = []
    for line in (run / METRICS).read_text().splitlines() if (run / METRICS).is_file() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def append_metrics(run: Path, values: dict[str, float]) -> None:
    """Add a line to `metrics.jsonl`, onto the disk, so that a state that is saved later has its lines for certain."""
    path = run / METRICS
    with writing(path), path.open("a") as file:
        file.write(json.dumps(values) + "\n")
        file.flush()
        os.fsync(file.fileno())


def forget_metrics_after(run: Path, images: int) -> None:
    """Drop the lines of `metrics.jsonl` that a killed run wrote after its last saved state."""
    if (run / METRICS).is_file():
        kept = [json.dumps(row) + "\n" for row in read_metrics(run) if row["images"] <= images]
        with replacing(run / METRICS) as temporary:
            Path(temporary).write_text("".join(kept))
