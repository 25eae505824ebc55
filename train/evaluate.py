"""`evaluate`: what a checkpoint does on identities it never trained on, each figure beside its ceiling.

Accuracy alone is worth nothing (a feasibility run had .999 with ugly faces). So it stands beside the *ceiling*: the
same judge on the same picture with the real hole of the same person's target emotion pasted in; beside PSNR in the
hole for the face's own emotion; and beside the grid, which is the one to look at.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from ecgan_core.checkpoint import load_checkpoint
from ecgan_core.generator import composite
from ecgan_core.masks import region
from ecgan_core.pipeline import ECGANPipeline

from .config import TrainConfig
from .data import FaceSet, load_faces, to_float
from .grid import fixed_faces, tile, write_picture
from .judge import Judge, judge_emotions, load_judge, save_judge, train_judge

HOLES = ("whole face", "lower face")
CHUNK = 64


@dataclass
class HoleResult:
    """Figures for one kind of hole. Accuracies are shares of all (picture, target emotion) pairs."""

    hole: str
    pairs: int
    accuracy: float
    ceiling: float
    share_of_ceiling: float
    psnr: float  # dB, in the hole, own emotion, peak 255; mean over pictures
    l1: float  # in the hole, own emotion, 0..255
    accuracy_per_emotion: dict[str, float]
    ceiling_per_emotion: dict[str, float]


def evaluate(checkpoint: Path, config: TrainConfig, data: Path, out: Path, judge_file: Path | None = None) -> str:
    """Measure, write `evaluation.json`, `evaluation.md` and `evaluation.jpg` into `out`, and return the table."""
    pipeline = load_checkpoint(checkpoint)
    if tuple(pipeline.emotion_set.names) != config.emotions or pipeline.frame_size != config.networks.image_size:
        raise ValueError(
            f"{checkpoint} makes {pipeline.frame_size} px faces of {', '.join(pipeline.emotion_set.names)}, "
            "which is not what the recipe says; give the recipe that it was trained with"
        )
    held_out = load_faces(config, data, held_out=True)
    out.mkdir(parents=True, exist_ok=True)
    judge_file = judge_file or out / "judge.safetensors"
    if judge_file.is_file():
        judge = load_judge(judge_file, config.emotions)
    else:
        judge = train_judge(load_faces(config, data), config)
        save_judge(judge, judge_file, config.emotions)

    real = to_float(held_out.faces)
    judged = judge_emotions(judge, real)
    results = [measure(pipeline, judge, held_out, config, hole) for hole in HOLES]
    report = {
        "checkpoint": checkpoint.name,
        "fingerprint": pipeline.fingerprint,
        "pictures": len(held_out),
        "identities": len(set(held_out.identity)),
        "judge_accuracy_on_real_pictures": (judged == held_out.emotion).float().mean().item(),
        "holes": [asdict(result) for result in results],
    }
    (out / "evaluation.json").write_text(json.dumps(report, indent=1))
    text = table(report, results)
    (out / "evaluation.md").write_text(text)
    write_picture(evaluation_grid(pipeline, held_out), out / "evaluation.jpg")
    return text


def pairs_of(faces: FaceSet) -> tuple[Tensor, Tensor]:
    """(input, truth) index pairs: every picture with every emotion in which the same person was also pictured."""
    of_person: dict[str, list[int]] = {}
    for i, name in enumerate(faces.identity):
        of_person.setdefault(name, []).append(i)
    pairs = [(i, j) for members in of_person.values() for i in members for j in members]
    source, truth = torch.tensor(pairs).unbind(1)
    return source, truth


@torch.no_grad()
def measure(pipeline: ECGANPipeline, judge: Judge, faces: FaceSet, config: TrainConfig, kind: str) -> HoleResult:
    """Complete every held-out picture with every emotion its person has, and judge it beside the pasted truth."""
    real, size = to_float(faces.faces), config.networks.image_size
    hole = region(kind, 1, size, torch.Generator(), jitter=0)
    source, truth = pairs_of(faces)
    wanted = faces.emotion[truth]
    right, ceiling = torch.zeros(len(source), dtype=torch.bool), torch.zeros(len(source), dtype=torch.bool)
    errors, squares = [], []
    for emotion, name in enumerate(config.emotions):
        for part in (wanted == emotion).nonzero()[:, 0].split(CHUNK):
            face, holes = real[source[part]], hole.expand(len(part), -1, -1, -1)
            completed = pipeline.decode(pipeline.complete(face, holes, emotion=name, seeds=source[part].tolist()))
            right[part] = judge_emotions(judge, completed) == emotion
            ceiling[part] = judge_emotions(judge, composite(face, real[truth[part]], holes)) == emotion
            own = source[part] == truth[part]
            if own.any():
                difference = (completed[own] - face[own])[..., hole[0, 0] > 0] * 127.5
                errors.append(difference.abs().mean(dim=(1, 2)))
                squares.append(difference.square().mean(dim=(1, 2)))
    psnr = (10 * torch.log10(255**2 / torch.cat(squares))).mean().item()
    accuracy, highest = right.float().mean().item(), ceiling.float().mean().item()

    def per_emotion(hits: Tensor) -> dict[str, float]:
        return {name: hits[wanted == i].float().mean().item() for i, name in enumerate(config.emotions)}

    return HoleResult(
        kind, len(source), accuracy, highest, accuracy / max(highest, 1e-9), psnr, torch.cat(errors).mean().item(),
        per_emotion(right), per_emotion(ceiling),
    )  # fmt: skip


@torch.no_grad()
def evaluation_grid(pipeline: ECGANPipeline, faces: FaceSet, count: int = 16) -> Tensor:
    """The first `count` held-out faces of a fixed shuffle: input · hole · own · every emotion, for each hole."""
    face, emotion = fixed_faces(faces, count)
    names = pipeline.emotion_set.names
    columns = []
    for kind in HOLES:
        hole = region(kind, len(face), face.shape[-1], torch.Generator(), jitter=0)
        wishes = [pipeline.decode(pipeline.complete(face, hole, emotion=n, seeds=[0] * len(face))) for n in names]
        own = torch.stack([wishes[int(e)][i] for i, e in enumerate(emotion)])
        columns += [face, face * (1 - hole), own, *wishes]
    return tile(torch.stack(columns, dim=1))


def table(report: dict, results: list[HoleResult]) -> str:
    """The figures as Markdown."""
    lines = [
        f"{report['checkpoint']} on {report['pictures']} pictures of {report['identities']} held-out identities; "
        f"the judge reads {report['judge_accuracy_on_real_pictures']:.1%} of the real ones.",
        "",
        "| hole | requested emotion recognised | ceiling | share of the ceiling | PSNR in the hole | L1 in the hole |",
        "|---|---|---|---|---|---|",
    ]
    for r in results:
        shares = f"{r.accuracy:.1%} | {r.ceiling:.1%} | {r.share_of_ceiling:.1%}"
        lines.append(f"| {r.hole} | {shares} | {r.psnr:.2f} dB | {r.l1:.1f} |")
    lines += ["", "| hole | " + " | ".join(results[0].accuracy_per_emotion) + " |"]
    lines += ["|---" * (1 + len(results[0].accuracy_per_emotion)) + "|"]
    for r in results:
        cells = [
            f"{a:.0%} of {c:.0%}"
            for a, c in zip(r.accuracy_per_emotion.values(), r.ceiling_per_emotion.values(), strict=True)
        ]
        lines.append(f"| {r.hole} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
