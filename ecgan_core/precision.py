"""In what precision, and in what order in memory, a CPU computes a face the fastest."""

from __future__ import annotations

import torch

from .pipeline import ECGANPipeline


def computes_in_bfloat16() -> bool:
    """Whether this CPU has instructions for bfloat16, AMX or those of AVX-512. Others imitate it, twice as slowly."""
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)  # an older torch cannot tell


def fastest_on_cpu() -> torch.dtype:
    """bfloat16 where the CPU computes in it: half to two thirds of the time, and the same pixels but for 1/255
    (docs/performance.md).

    Asked for, not timed at load: beside other work a time differs from start to start, and so would the pictures.
    """
    return torch.bfloat16 if computes_in_bfloat16() else torch.float32


def arrange_for_cpu(pipeline: ECGANPipeline) -> None:
    """Put the weights of a bfloat16 model in the order that these instructions want, channels last."""
    if pipeline.generator.dtype == torch.bfloat16:
        for network in (pipeline.encoder, pipeline.generator):
            network.to(memory_format=torch.channels_last)
