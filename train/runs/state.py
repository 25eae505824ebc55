"""A run's state as one file, written atomically, from which a run goes on exactly.

Networks, optimizers and EMA are flattened into named tensors, the clock and the config go into the metadata. No pickle:
an optimizer's state is tensors by parameter number, and its hyperparameters come from the config.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from ecgan_core.files.tensors import BadFile, read_header, read_tensors, write_tensors

KIND = "the state of a training run"


class StateError(ValueError):
    """The saved state cannot be gone on from; the text says why."""


class DamagedState(StateError, BadFile):
    """The file is none of ours or is not whole."""


@dataclass
class State:
    """A saved state in memory: tensors by name, and what `save_state` was given as `meta`."""

    path: Path
    tensors: dict[str, Tensor]
    meta: dict[str, Any]


def save_state(
    path: Path,
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    ema: EMAModel,
    meta: dict[str, Any],
) -> None:
    """Write everything to `path` in one step: a kill leaves no half of a file."""
    tensors: dict[str, Tensor] = {}
    for name, network in networks.items():
        tensors |= {f"network.{name}.{key}": value for key, value in network.state_dict().items()}
    for name, optimizer in optimizers.items():
        for number, entries in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{name}.{number}.{key}": torch.as_tensor(value) for key, value in entries.items()}
    tensors |= {f"ema.{i}": value for i, value in enumerate(ema.shadow_params)}
    tensors = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    meta = meta | {"ema_step": ema.optimization_step}
    write_tensors(path, tensors, {"meta": json.dumps(meta)})


def read_state(path: Path) -> State:
    """Read what `save_state` wrote.

    Raises:
        DamagedState: the file is missing, of another kind, cut short, or its numbers are not those that were written.
    """
    metadata = read_header(path, KIND, DamagedState).metadata
    if "meta" not in metadata:
        raise DamagedState(f"{path} is not {KIND}: it is a safetensors file of something else")
    tensors = read_tensors(path, KIND, DamagedState)
    try:
        meta = json.loads(metadata["meta"])
        if not isinstance(meta, dict):
            raise ValueError("it is no mapping")
    except (ValueError, TypeError, RecursionError) as problem:
        raise DamagedState(f"{path} is damaged: its metadata cannot be read ({problem})") from problem
    return State(path, tensors, meta)


def put_back(
    state: State,
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    ema: EMAModel,
) -> None:
    """Put a saved state back into networks, optimizers and EMA, in place.

    Raises:
        StateError: it is of other networks than these.
    """
    try:
        for name, network in networks.items():
            network.load_state_dict(_below(state.tensors, f"network.{name}."))
        for name, optimizer in optimizers.items():
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            entries: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(state.tensors, f"optimizer.{name}.").items():
                number, _, entry = key.partition(".")
                entries.setdefault(int(number), {})[entry] = _laid_out(value, parameters[int(number)])
            optimizer.load_state_dict({"state": entries, "param_groups": optimizer.state_dict()["param_groups"]})
        for i, shadow in enumerate(ema.shadow_params):
            shadow.copy_(state.tensors[f"ema.{i}"])
        ema.optimization_step = state.meta["ema_step"]
    except (RuntimeError, ValueError, LookupError) as error:
        raise StateError(f"{state.path} holds the state of other networks than this recipe's: {error}") from error


def _laid_out(value: Tensor, parameter: Tensor) -> Tensor:
    """`value` in the memory layout of its parameter: fused optimizers walk through both as they lie."""
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value) if value.shape == parameter.shape else value


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The entries under `prefix`, without it."""
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
