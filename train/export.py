"""`export`: from a run's newest state to one shareable checkpoint."""

from __future__ import annotations

from pathlib import Path

from diffusers.training_utils import EMAModel

from ecgan_core.files.checkpoint import save_checkpoint

from .learning.networks import build_networks, pipeline_of
from .runs.run_folder import config_of, newest_state
from .runs.state import put_back


def export(run: Path, file: Path, card: str = "") -> list[str]:
    """Write the EMA weights of the run in folder `run` as the checkpoint `file`, with `card` in it.

    Returns what is wrong with newer states than the one that could be read, a sentence each.

    Raises:
        StateError: the folder holds no run.
    """
    state, damaged = newest_state(run)
    config = config_of(state)
    networks = build_networks(config)
    smoothed = [*networks["encoder"].parameters(), *networks["generator"].parameters()]
    ema = EMAModel(smoothed)
    put_back(state, networks, {}, ema)
    ema.copy_to(smoothed)
    save_checkpoint(pipeline_of(networks, config), file, card, origin=state.meta.get("origin", ""))
    return [f"{problem}; {file} is made from {state.path.name}" for problem in damaged]
