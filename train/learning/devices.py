"""Where a run is computed: the device, how many processes share it, and what makes it faster there."""

from __future__ import annotations

from pathlib import Path

import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import is_tensorboard_available

from ecgan_core.networks.encoder import Encoder
from ecgan_core.networks.generator import Generator
from ecgan_core.precision import computes_in_bfloat16

from ..config import ConfigError, TrainConfig


def has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 itself. Others emulate it, and are many times slower for it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return computes_in_bfloat16()
    return False


def precision(asked: str, device: torch.device) -> str:
    """`mixed_precision` as Accelerate takes it: "auto" is bf16 where the device has it."""
    return asked if asked != "auto" else "bf16" if has_bf16(device) else "no"


def compile_blocks(encoder: Encoder, generator: Generator) -> None:
    """`torch.compile` E's and G's blocks, in place; names of weights stay. D is left out: a loss may differentiate it
    twice, which the compiler cannot.
    """
    for block in (*encoder.down, encoder.middle, generator.middle, *generator.up):
        block.compile(dynamic=False)


def make_accelerator(config: TrainConfig, out: Path, cpu: bool = False, tensorboard: bool = False) -> Accelerator:
    """Accelerate's device, processes and precision for a run.

    Raises:
        ConfigError: the batch cannot be shared equally.
        ValueError: TensorBoard is asked for and not installed.
    """
    if tensorboard and not is_tensorboard_available():
        raise ValueError(
            "--tensorboard needs a package that is not installed; `python -m pip install tensorboard`, or leave the "
            "option out: losses.png and metrics.jsonl have the same curves"
        )
    AcceleratorState._reset_state()  # of a run before it in this process, whose precision it would insist on
    accelerator = Accelerator(
        mixed_precision=precision(config.mixed_precision, PartialState(cpu=cpu).device),
        cpu=cpu,
        log_with="tensorboard" if tensorboard else None,
        project_dir=out,
    )
    if config.batch % accelerator.num_processes:
        raise ConfigError(
            f"batch: {config.batch} images cannot be shared equally by {accelerator.num_processes} processes; give a "
            f"multiple of {accelerator.num_processes}"
        )
    return accelerator
