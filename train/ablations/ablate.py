"""`ablations`: every variant with every seed, trained, measured on the same people and put into one table.

    OUT/VARIANT-SEED/                   a run, as `fit` leaves it
    OUT/judge.safetensors …             what measures, unless it is given
    OUT/figures/VARIANT-SEED.json       what was measured
    OUT/ablations.md  ablations.jpg     the table and the picture, of what is there so far

What is there already is not made again: a run by its last state, figures by the fingerprint of the model that they are
about. All variants have their first seed before one has its second, so that whoever stops early can compare.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.files.disk import writing
from ecgan_core.files.replacing import replacing
from ecgan_core.pipeline import ECGANPipeline

from ..config import TrainConfig
from ..data.faces import FaceSet
from ..evaluation.evaluate import Extras, announce, make_instruments, still_faces
from ..evaluation.measure import Instruments, Subjects, measure, sample_pairs
from ..fit import fit
from ..learning.trainer import load_both
from ..make import is_trained
from ..runs.interrupt import StopWish
from ..runs.run_folder import model_path
from .disentanglement import HOLES, measure_edits, measure_real
from .editing import along_vector, other_ways, vector_length
from .picture import write_comparison
from .recipe import Ablations, Variant
from .table import METHODS_WAY, table_text


def ablate(
    plan: Ablations,
    data: Path,
    out: Path,
    *,
    minutes: float | None = None,
    cpu: bool = False,
    extras: Extras | None = None,
    say: Callable[[str], None] = announce,
) -> bool:
    """Train and measure all of `plan` in the folder `out`; whether all of it is done.

    Args:
        data: the folder of the sources, and of the people who are measured.
        minutes: after which it trains no more, everything saved: the same command goes on. What is trained is still
            measured.
        cpu: train on the CPU though a GPU is there.
        extras: `judge`, `identity`, `pairs` and `variation` of the measurements.

    Raises:
        ValueError: a set, a run, a picture or a network cannot be used; the text says which.
        KeyboardInterrupt: Ctrl-C; what was done is kept.
    """
    extras, clock = extras or Extras(), StopWish(minutes)
    people = still_faces(plan.base, data / plan.people)
    with writing(out):
        (out / "figures").mkdir(parents=True, exist_ok=True)
    bench: Bench | None = None
    complete = True
    for number, (seed, variant) in enumerate(((s, v) for s in plan.seeds for v in plan.variants), start=1):
        run, config = out / variant.folder(seed), variant.seeded(seed)
        if not is_trained(run, config):
            if complete and not clock.time_is_up:
                say(f"run {number} of {len(plan.seeds) * len(plan.variants)}: {variant.folder(seed)}")
                complete = fit(config, data, run, "auto", cpu, minutes=clock.minutes_left)
            else:
                complete = False
            if not complete:
                continue  # others may be finished, and have to be measured
        pipeline = load_checkpoint(model_path(run)).to("cuda" if torch.cuda.is_available() and not cpu else "cpu")
        wanted = {"fingerprint": pipeline.fingerprint, "pairs": extras.pairs, "ways": variant.name == plan.editing}
        if read_figures(figures_of(out, variant, seed), wanted) is None:
            say(f"measuring {variant.folder(seed)}")
            bench = bench or Bench.of(plan, data, out, people, extras, say)
            write_json(figures_of(out, variant, seed), wanted | bench.figures(pipeline, wanted["ways"]))
            write_report(plan, out, len(set(people.identity)), extras.pairs)
    first = plan.seeds[0]
    if all(is_trained(out / v.folder(first), v.seeded(first)) for v in map(plan.variant, plan.pictured)):
        write_comparison(plan, data, out)
    say(write_report(plan, out, len(set(people.identity)), extras.pairs))
    return complete


@dataclasses.dataclass(frozen=True)
class Bench:
    """People and instruments, the same for all models."""

    config: TrainConfig
    instruments: Instruments
    subjects: Subjects
    trained_on: FaceSet
    extras: Extras

    @classmethod
    def of(
        cls, plan: Ablations, data: Path, out: Path, people: FaceSet, extras: Extras, say: Callable[[str], None]
    ) -> Bench:
        """Instruments as `evaluate` has them, and what they say of real people in `figures/real.json`."""
        training, held_out = load_both(plan.base, data)
        instruments = make_instruments(training, held_out, plan.base, out, extras, say)
        neutral = plan.base.emotions.index(plan.base.neutral)
        real = {kind: measure_real(instruments, people, neutral, kind) for kind in HOLES}
        write_json(out / "figures" / "real.json", {kind: dataclasses.asdict(edited) for kind, edited in real.items()})
        return cls(plan.base, instruments, Subjects.of(people, instruments), training, extras)

    def figures(self, pipeline: ECGANPipeline, in_other_ways: bool) -> dict[str, Any]:
        """All figures of a model, as JSON has them."""
        faces, variation = self.subjects.faces, self.extras.variation
        pairs = sample_pairs(faces, self.extras.pairs)
        ways = {METHODS_WAY: along_vector(pipeline)}
        if in_other_ways:
            ways |= other_ways(pipeline, self.trained_on)
        return {
            "q_reads": q_reads(pipeline, faces),
            "vector_length": vector_length(pipeline),
            "holes": {
                kind: dataclasses.asdict(
                    measure(pipeline, self.instruments, self.subjects, self.config, kind, pairs, variation)
                )
                for kind in HOLES
            },
            "edits": {
                way: {
                    kind: dataclasses.asdict(measure_edits(pipeline, self.instruments, faces, kind, edit, variation))
                    for kind in HOLES
                }
                for way, edit in ways.items()
            },
        }


def q_reads(pipeline: ECGANPipeline, faces: FaceSet) -> float:
    """The share of whole faces whose emotion Q names rightly."""
    device = pipeline.generator.emotion_codes.device
    parts = torch.arange(len(faces)).split(64)
    named = torch.cat([pipeline.infer_emotion(faces.pick(part, device)).argmax(1).cpu() for part in parts])
    return (named == faces.emotion).float().mean().item()


def figures_of(out: Path, variant: Variant, seed: int) -> Path:
    """The file of a run's figures."""
    return out / "figures" / f"{variant.folder(seed)}.json"


def read_figures(file: Path, wanted: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """The figures in a file; None where there are none, or none of what is `wanted`."""
    try:
        figures = json.loads(file.read_text(encoding="utf-8"))
        return figures if all(figures[key] == value for key, value in (wanted or {}).items()) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_json(file: Path, content: dict[str, Any]) -> None:
    with replacing(file) as temporary:
        Path(temporary).write_text(json.dumps(content, indent=1), encoding="utf-8")


def write_report(plan: Ablations, out: Path, people: int, pairs: int) -> str:
    """Write the table of what was measured so far with so many pairs, and return it."""
    alike = {"pairs": pairs}
    measured = {
        variant.name: [found for seed in plan.seeds if (found := read_figures(figures_of(out, variant, seed), alike))]
        for variant in plan.variants
    }
    real = read_figures(out / "figures" / "real.json")
    text = table_text(measured, real, plan.editing, people)
    with replacing(out / "ablations.md") as temporary:
        Path(temporary).write_text(text, encoding="utf-8")
    return text
