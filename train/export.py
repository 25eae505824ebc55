"""`export`: from a run's state to one shareable checkpoint."""

from __future__ import annotations

from pathlib import Path

from diffusers.training_utils import EMAModel

from ecgan_core.checkpoint import save_checkpoint

from .config import from_dict
from .fit import STATE, build_networks, pipeline_of
from .state import StateError, load_state, read_meta


def export(run: Path, file: Path, card: str = "") -> None:
    """Write the EMA weights of the run in folder `run` as the checkpoint `file`, with `card` in it.

    Raises:
        StateError: the folder holds no run.
    """
    path = run / STATE
    if not path.is_file():
        raise StateError(f"{run} holds no run: {STATE} is missing; give the folder that `fit --out` wrote to")
    config = from_dict(read_meta(path)["config"])
    networks = build_networks(config)
    smoothed = [*networks["encoder"].parameters(), *networks["generator"].parameters()]
    ema = EMAModel(smoothed)
    load_state(path, networks, {}, ema)
    ema.copy_to(smoothed)
    save_checkpoint(pipeline_of(networks, config), file, card)
