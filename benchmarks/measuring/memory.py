"""Peak memory, measured in a process of its own.

Linux remembers the most memory that a process ever had (VmHWM) and forgets it on request. So: make everything ready,
give the free heap back, forget, run, read. What is measured is the run's peak above what was there before it.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_megabytes(run: Callable[[], object], device: torch.device) -> float:
    """How far memory rises above its present level while `run` runs, in MB; a graphics card's own where it is there."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        torch.cuda.synchronize(device)
        return (torch.cuda.max_memory_allocated(device) - before) / 1e6
    _give_back()
    FORGET.write_text("5")  # the kernel's word for "the high-water mark is where the water is now"
    before = _kilobytes("VmRSS")
    run()
    return (_kilobytes("VmHWM") - before) * 1024 / 1e6


def resident() -> float:
    """What this process holds now, in MB, with all that is free given back to the system."""
    gc.collect()
    _give_back()
    return _kilobytes("VmRSS") * 1024 / 1e6


def high_water() -> float:
    """The most memory that this process ever had, in MB, or NaN. `ru_maxrss` would begin with its parent's."""
    return _kilobytes("VmHWM") * 1024 / 1e6 if STATUS.exists() else float("nan")


def can_measure(device: torch.device) -> bool:
    return device.type == "cuda" or FORGET.exists()


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` answers in a fresh Python; both it and its arguments have to be importable there."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        return pool.submit(function, *arguments).result()


def _kilobytes(name: str) -> int:
    """An entry of this process's status, which Linux gives in kB."""
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1])


def _give_back() -> None:
    """Return freed heap to the system: else the run would be served from it, and its need would not show."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
