"""A run's state on disk: one `state.safetensors`, written atomically, from which a run goes on exactly.

Networks, optimizers and EMA are flattened into named tensors, the clock and the config go into the metadata. No pickle:
an optimizer's state is tensors by parameter number, and its hyperparameters come from the config.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from ecgan_core.files import read_header, read_tensors, write_tensors

KIND = "the state of a training run"


class StateError(ValueError):
    """The saved state cannot be gone on from; the text says why."""


def save_state(
    path: Path,
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    ema: EMAModel,
    meta: dict[str, Any],
) -> None:
    """Write everything to `path` in one step: a kill leaves the old state or the new one."""
    tensors: dict[str, Tensor] = {}
    for name, network in networks.items():
        tensors |= {f"network.{name}.{key}": value for key, value in network.state_dict().items()}
    for name, optimizer in optimizers.items():
        for number, entries in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{name}.{number}.{key}": torch.as_tensor(value) for key, value in entries.items()}
    tensors |= {f"ema.{i}": value for i, value in enumerate(ema.shadow_params)}
    meta = meta | {"ema_step": ema.optimization_step}
    write_tensors(path, tensors, {"meta": json.dumps(meta)})


def read_meta(path: Path) -> dict[str, Any]:
    """What `save_state` was given as `meta`."""
    metadata = read_header(path, KIND).metadata
    if "meta" not in metadata:
        raise StateError(f"{path} is not {KIND}: it is a safetensors file of something else")
    return json.loads(metadata["meta"])


def load_state(
    path: Path,
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    ema: EMAModel,
) -> dict[str, Any]:
    """Put a saved state back, in place, and return its `meta`.

    Raises:
        StateError: the file is of other networks than these.
    """
    tensors, meta = read_tensors(path, KIND), read_meta(path)
    try:
        for name, network in networks.items():
            network.load_state_dict(_below(tensors, f"network.{name}."))
        for name, optimizer in optimizers.items():
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(tensors, f"optimizer.{name}.").items():
                number, _, entry = key.partition(".")
                state.setdefault(int(number), {})[entry] = value
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    except (RuntimeError, ValueError) as error:
        raise StateError(f"{path} holds the state of other networks than this recipe's: {error}") from error
    for i, shadow in enumerate(ema.shadow_params):
        shadow.copy_(tensors[f"ema.{i}"])
    ema.optimization_step = meta["ema_step"]
    return meta


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The entries under `prefix`, without it."""
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
