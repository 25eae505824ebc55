"""`bench.json`, `bench.md` and the goals: what was measured, in words."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ecgan_core.files.replacing import replacing

from .measure import Part, Settings, Table, ratio_text, table_lines


@dataclass(frozen=True)
class Goal:
    """What we want to be able to say; `figure` names the number that tells, which a part has measured."""

    words: str
    figure: str
    sign: str  # "≤" or "≥"
    bound: float
    form: str  # of the number: "ratio", "share", "times" or "MB"

    def said(self, value: float) -> str:
        forms = {"share": f"{value:.0%}", "times": f"{value:.2f}×", "MB": f"{value:.0f} MB"}
        return forms.get(self.form) or ratio_text(value)

    def met(self, value: float) -> bool:
        return value <= self.bound if self.sign == "≤" else value >= self.bound


GOALS = (
    Goal("completion of a face in a 256² picture, against LaMa", "ratio.lama.256", "≤", 1 / 6, "ratio"),
    Goal("a face in a 512² picture, against MAT", "ratio.mat.512", "≤", 1 / 40, "ratio"),
    Goal("the same, against Stable Diffusion 1.5 in 20 steps", "ratio.diffusion.512", "≤", 1 / 500, "ratio"),
    Goal("a shift, against a completion", "ratio.shift", "≤", 0.6, "ratio"),
    Goal("4 samples, against 1", "ratio.samples", "≤", 2.8, "times"),
    Goal("G, share of the convolution ceiling", "share.G", "≥", 0.5, "share"),
    Goal("training, against a plain eager float32 loop", "ratio.training", "≥", 1.5, "times"),
    Goal("peak memory of a completion above the loaded model", "memory.completion", "≤", 150, "MB"),
)

NOT_MEASURED = "not measured"


def goal_table(figures: Mapping[str, float]) -> Table:
    """Each goal with what was reached; a goal whose part or peer was left out says so."""
    rows = []
    for goal in GOALS:
        row = [goal.words, f"{goal.sign} {goal.said(goal.bound)}"]
        if goal.figure in figures:
            value = figures[goal.figure]
            row += [goal.said(value), "met" if goal.met(value) else "missed"]
        else:
            row += [NOT_MEASURED, "–"]
        rows.append(row)
    return Table("Goals", ["what", "goal", "reached", ""], rows)


def machine(settings: Settings) -> dict[str, Any]:
    """Where and how it was measured."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "device": torch.cuda.get_device_name(settings.device) if settings.device.type == "cuda" else processor(),
        "threads": torch.get_num_threads(),
        "clock": "CPU-seconds of one thread" if settings.busy else "seconds",
        "load": round(load, 2),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "quick": settings.quick,
    }


def processor() -> str:
    """The processor's name where Linux tells it."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def write_report(parts: Mapping[str, Part], where: Mapping[str, Any], out: Path) -> None:
    """`bench.json` and `bench.md` in `out`, each in one step."""
    figures = {name: value for part in parts.values() for name, value in part.figures.items()}
    goals = [
        {
            "goal": goal.words,
            "figure": goal.figure,
            "bound": f"{goal.sign} {goal.bound:g}",
            "reached": figures.get(goal.figure),
            "met": goal.met(figures[goal.figure]) if goal.figure in figures else None,
        }
        for goal in GOALS
    ]
    tree = {"machine": dict(where), "goals": goals, "parts": {name: part.plain() for name, part in parts.items()}}
    with replacing(out / "bench.json") as temporary:
        Path(temporary).write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with replacing(out / "bench.md") as temporary:
        Path(temporary).write_text(markdown(parts, figures, where), encoding="utf-8")


def markdown(parts: Mapping[str, Part], figures: Mapping[str, float], where: Mapping[str, Any]) -> str:
    head = (
        f"{where['device']}, {where['threads']} thread{'s' if where['threads'] > 1 else ''}, torch {where['torch']}, "
        f"Python {where['python']}. Times are {where['clock']}: medians, with the lowest and the highest round."
    )
    lines = ["# What it costs", "", head, f"Load of the machine when the measurement began: {where['load']}."]
    if where["quick"]:
        lines.append("**A quick run: it shows that everything works, and no figure in it means anything.**")
    for table in [goal_table(figures), *(table for part in parts.values() for table in part.tables)]:
        lines += ["", *table_lines(table)]
    return "\n".join(lines) + "\n"
