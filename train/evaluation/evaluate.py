"""`evaluate`: what a checkpoint does on identities it never trained on, each figure beside its ceiling.

Figures alone have misled before: the sheets of the first faces, unselected, are the ones to look at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.files.disk import writing
from ecgan_core.files.replacing import replacing
from ecgan_core.pipeline import ECGANPipeline

from ..config import Source, TrainConfig
from ..data.faces import FaceSet, load_faces
from ..runs.grid import tile, write_picture
from . import metrics
from .brought import SIDE as BROUGHT_SIDE
from .brought import measure_brought
from .clips.clip import load_clip
from .clips.steadiness import measure_clip
from .face_api import WHERE
from .halfway import HOLES as HALFWAY_HOLES
from .halfway import has_mixtures, measure_halfway
from .identity import KIND as IDENTITY
from .identity import IdentityNetwork, load_identity, save_identity, train_identity
from .judge import KIND as JUDGE
from .judge import load_judge, look_at, must_not_know, save_judge, train_judge
from .measure import HOLES, Instruments, Subjects, closeness, measure, observe, reference_faces, sample_pairs
from .photographs import Photographs, PublicNetworks, load_photographs, measure_photographs
from .report import evaluation_sheet, halfway_sheet, report_text, samples_sheet

JUDGE_FILE, IDENTITY_FILE = "judge.safetensors", "identity.safetensors"


@dataclass(frozen=True)
class Extras:
    """What may be measured besides, and where the measuring networks are kept."""

    judge: Path | None = None  # files; made where they do not exist
    identity: Path | None = None
    pairs: int = 100  # per wanted emotion; 0 takes all
    still: Path | None = None  # a set of people who hold still from one emotion to the next
    photographs: Path | None = None
    brought: Path | None = None  # photoreal faces, as artists bring them
    clip: list[Path] | None = None  # rendered ones
    face_api: Path | None = None
    photograph_emotion: str = "happy"
    variation: float = 0.5  # of the completions; as the node has it


def asked_of(extras: Extras, config: TrainConfig) -> dict[str, Any]:
    """What figures follow from besides the model, as `evaluation.json` has it: who asks otherwise measures anew."""
    settings = {name: str(value) for name, value in asdict(extras).items()}
    return json.loads(json.dumps({**settings, "data": [asdict(source) for source in config.data]}))


def announce(line: str) -> None:
    """Tell the user how far it is, at once even into a log file."""
    print(line, flush=True)


def evaluate(
    checkpoint: Path,
    config: TrainConfig,
    data: Path,
    out: Path,
    extras: Extras | None = None,
    say: Callable[[str], None] = announce,
    cpu: bool = False,
) -> str:
    """Measure, write `evaluation.json`, `.md` and three sheets of faces into `out`, and return the text.

    `cpu` is for measuring on the CPU though a GPU is there.

    Raises:
        ValueError: the recipe is not the checkpoint's, a set or a network cannot be used; the text says which.
    """
    extras = extras or Extras()
    pipeline = matching_pipeline(checkpoint, config, cpu)
    photographs, brought, public = opened_photographs(pipeline, extras)
    clips = [load_clip(folder, config.emotions, pipeline.emotion_set.neutral) for folder in extras.clip or []]
    held_out, training = load_faces(config, data, held_out=True), load_faces(config, data)
    still = still_faces(config, extras.still) if extras.still else None
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)

    instruments = make_instruments(training, held_out, config, out, extras, say)
    subjects = Subjects.of(held_out, instruments)
    pairs = sample_pairs(held_out, extras.pairs)
    report: dict[str, Any] = {
        "checkpoint": checkpoint.name,
        "fingerprint": pipeline.fingerprint,
        "asked": asked_of(extras, config),
        "pictures": len(held_out),
        "identities": len(set(held_out.identity)),
        "pairs_per_emotion": extras.pairs,
        "variation": extras.variation,
        **real_figures(instruments, subjects, pairs[1]),
        "holes": [],
        "photographs": [],
        "brought": [],
        "clips": [],
    }
    for kind in HOLES:
        say(f"measuring {kind}: {len(pairs[0])} completions")
        report["holes"].append(asdict(measure(pipeline, instruments, subjects, config, kind, pairs, extras.variation)))
    if still is not None:
        report["still"] = still_figures(pipeline, instruments, still, config, extras, say)
    sheets = {
        "evaluation.jpg": evaluation_sheet(pipeline, held_out, extras.variation),
        "evaluation-samples.jpg": samples_sheet(pipeline, held_out, extras.variation),
        "evaluation-halfway.jpg": halfway_sheet(pipeline, held_out, extras.variation),
    }
    for i, group in enumerate(photographs):
        assert public is not None  # whoever has photographs has their judges
        say(f"measuring {len(group.pictures)} photographs of {group.source}")
        result, sheet = measure_photographs(pipeline, group, public, extras.variation)
        report["photographs"].append(asdict(result))
        sheets[f"evaluation-photographs-{i + 1}.jpg"] = tile(sheet)
    for i, group in enumerate(brought):
        say(f"measuring {len(group.pictures)} pictures as artists bring them, of {group.source}")
        found, sheet = measure_brought(pipeline, group, public, extras.variation)
        report["brought"].append(asdict(found))
        sheets[f"evaluation-brought-{i + 1}.jpg"] = tile(sheet)
    for i, clip in enumerate(clips):
        say(f"measuring {len(clip.frames)} frames of {clip.source}")
        steady, sheet = measure_clip(pipeline, clip, extras.variation)
        report["clips"].append({"source": clip.source, "figures": [asdict(figures) for figures in steady]})
        sheets[f"evaluation-clip-{i + 1}.jpg"] = tile(sheet)
    return write_report(out, report, sheets)


def matching_pipeline(checkpoint: Path, config: TrainConfig, cpu: bool = False) -> ECGANPipeline:
    """The checkpoint's pipeline, on the GPU if there is one and not `cpu`; ValueError if the recipe is not its own."""
    pipeline = load_checkpoint(checkpoint)
    if tuple(pipeline.emotion_set.names) != config.emotions or pipeline.frame_size != config.networks.image_size:
        raise ValueError(
            f"{checkpoint} makes {pipeline.frame_size} px faces of {', '.join(pipeline.emotion_set.names)}, "
            "which is not what the recipe says; give the recipe that it was trained with"
        )
    return pipeline.to("cuda") if torch.cuda.is_available() and not cpu else pipeline


def opened_photographs(
    pipeline: ECGANPipeline, extras: Extras
) -> tuple[list[Photographs], list[Photographs], PublicNetworks | None]:
    """`photographs`, `brought` and who judges them, if there are any; what is wrong with them is said at once."""
    if extras.photographs is not None and extras.face_api is None:
        raise ValueError(f"--photographs needs public networks to judge them: {WHERE}")
    public = None
    if extras.face_api is not None:
        pipeline.emotion_set.index(extras.photograph_emotion)
        public = PublicNetworks(extras.face_api, extras.photograph_emotion)
    photographs = load_photographs(extras.photographs) if extras.photographs else []
    brought = load_photographs(extras.brought, BROUGHT_SIDE) if extras.brought else []
    for emotion in sorted({emotion for group in brought for emotion in group.emotion}):
        pipeline.emotion_set.index(emotion)
    return photographs, brought, public


def write_report(out: Path, report: dict, sheets: dict[str, torch.Tensor]) -> str:
    """Write the JSON, the text and the sheets; returns the text."""
    text = report_text(report)
    for name, content in (("evaluation.json", json.dumps(report, indent=1)), ("evaluation.md", text)):
        with replacing(out / name) as temporary:
            Path(temporary).write_text(content, encoding="utf-8")
    for name, sheet in sheets.items():
        write_picture(sheet, out / name)
    return text


def make_instruments(
    training: FaceSet, held_out: FaceSet, config: TrainConfig, out: Path, extras: Extras, say: Callable[[str], None]
) -> Instruments:
    """The measuring networks: read from their files, or taught on the training split and written there.

    Raises:
        ValueError: a file holds none that fits, or one that was taught on people who are held out.
    """
    judge_file, identity_file = extras.judge or out / JUDGE_FILE, extras.identity or out / IDENTITY_FILE
    if judge_file.is_file():
        judge = load_judge(judge_file, config.emotions)
        must_not_know(held_out.identity, judge_file, JUDGE, "--judge")
    else:
        judge = train_judge(training, config, say=say)
        save_judge(judge, judge_file, config.emotions, training.identity)
    if identity_file.is_file():
        identity: IdentityNetwork | None = load_identity(identity_file)
        must_not_know(held_out.identity, identity_file, IDENTITY, "--identity")
    else:
        identity = train_identity(training, config, say=say)
        if identity is None:
            say("no person of the training split has two pictures: likeness cannot be measured")
        else:
            save_identity(identity, identity_file, training.identity)
    reference = look_at(training.faces[reference_faces(training, held_out)], judge.features).mean(dim=(2, 3))
    return Instruments(judge, reference, identity)


def real_figures(instruments: Instruments, subjects: Subjects, truth: torch.Tensor) -> dict:
    """What the instruments say of real held-out pictures: the figures that all others are to be read beside."""
    named = instruments.judge.logits(subjects.features).argmax(1)
    real = subjects.features[truth].mean(dim=(2, 3))
    return {
        "judge_accuracy_on_real_pictures": (named == subjects.faces.emotion).float().mean().item(),
        "identity_on_real_pictures": asdict(subjects.baselines) if subjects.baselines else None,
        "frechet_on_real_pictures": metrics.frechet_distance(real, instruments.reference),
        "frechet_features": "judge features",
        "frechet_reference_pictures": len(instruments.reference),
    }


def still_faces(config: TrainConfig, folder: Path) -> FaceSet:
    """All faces of a set of people who hold still, in the size and with the emotions of the recipe."""
    folder = folder.absolute() if folder.name not in ("", "..") else folder.resolve()  # a link has a name of its own
    source = Source(path=folder.name, held_out=1.0, paired=True)
    return load_faces(replace(config, data=(source,)), folder.parent, held_out=True)


def still_figures(
    pipeline: ECGANPipeline,
    instruments: Instruments,
    still: FaceSet,
    config: TrainConfig,
    extras: Extras,
    say: Callable[[str], None],
) -> dict:
    """Distance to the paired truth, where pixels can tell: nothing but the expression differs between the pictures."""
    source, truth = pairs = sample_pairs(still, extras.pairs)
    subjects = Subjects.of(still, instruments)
    holes = {}
    for kind in HOLES:
        say(f"measuring {kind} of people who hold still: {len(source)} completions")
        seen = observe(pipeline, instruments, subjects, config, kind, pairs, extras.variation)
        closer = closeness(seen, source != truth)
        holes[kind] = asdict(closer) if closer else None
    figures = {"pictures": len(still), "identities": len(set(still.identity)), "closer": holes}
    if has_mixtures(still):
        say("measuring mixtures of two emotions")
        halfway = {kind: measure_halfway(pipeline, still, kind, extras.variation) for kind in HALFWAY_HOLES}
        figures["halfway"] = {kind: asdict(measured) for kind, measured in halfway.items()}
    return figures
