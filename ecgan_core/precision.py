"""In what precision, and in what order in memory, a CPU computes a face the fastest."""

from __future__ import annotations

import torch

from .pipeline import ECGANPipeline


def fastest_on_cpu() -> torch.dtype:
    """bfloat16 where the CPU has AMX: half the time, and the same pixels but for 1/255 (docs/performance.md)."""
    has_amx = getattr(torch.cpu, "_is_amx_tile_supported", bool)  # an older torch cannot tell
    return torch.bfloat16 if has_amx() else torch.float32


def arrange_for_cpu(pipeline: ECGANPipeline) -> None:
    """Put the weights of a bfloat16 model in the order that AMX wants, channels last; float32 gains nothing from it."""
    if pipeline.generator.dtype == torch.bfloat16:
        for network in (pipeline.encoder, pipeline.generator):
            network.to(memory_format=torch.channels_last)
