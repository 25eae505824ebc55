"""What "auto" means on a CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ecgan_core.precision import computes_in_bfloat16, fastest_on_cpu

CPUINFO = Path("/proc/cpuinfo")


@pytest.mark.skipif(not CPUINFO.is_file(), reason="only Linux has a second opinion on what the processor can do")
def test_bfloat16_is_taken_where_the_processor_has_instructions_for_it():
    flags = set(CPUINFO.read_text(encoding="utf-8").split())
    has = bool(flags & {"amx_bf16", "avx512_bf16"})
    assert computes_in_bfloat16() == has
    assert fastest_on_cpu() == (torch.bfloat16 if has else torch.float32)
