"""An evaluation for people: its text in Markdown, and its sheets of faces."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from ecgan_core.face.holes import region
from ecgan_core.pipeline import ECGANPipeline

from ..data.faces import FaceSet
from ..runs.grid import fixed_faces, tile
from .clips.steadiness import Steadiness, steadiness_text
from .halfway import complete_halfway

SHEET_FACES, SAMPLES = 16, 4
SHEET_HOLES = ("whole face", "lower face")


def report_text(report: dict) -> str:
    """The figures of `evaluate` as Markdown: what was asked for, what came back, then the smaller print."""
    parts = [_opening(report), _control(report), _fidelity(report), _per_emotion(report)]
    parts += [_closer(report), _halfway(report), _photographs(report), _brought(report), _clips(report)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(report: dict) -> str:
    return (
        f"{report['checkpoint']} on {report['pictures']} pictures of {report['identities']} held-out identities; "
        f"the judge reads {report['judge_accuracy_on_real_pictures']:.1%} of the real ones."
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("| --- |", "|---|").replace(" --- |", "---|")


def _control(report: dict) -> str:
    rows = [
        [r["hole"], f"{r['accuracy']:.1%}", f"{r['ceiling']:.1%}", f"{r['share_of_ceiling']:.1%}", str(r["pairs"])]
        for r in report["holes"]
    ]
    note = (
        "The ceiling: the same judge on the same pictures with the real hole of the same person's wanted emotion "
        "pasted in."
    )
    if report["pairs_per_emotion"]:
        note += f" Pairs: the first {report['pairs_per_emotion']} of each wanted emotion in a fixed shuffle."
    head = ["hole", "requested emotion recognised", "ceiling", "share of the ceiling", "pairs"]
    return f"{_table(head, rows)}\n\n{note}"


def _fidelity(report: dict) -> str:
    head = [
        "hole",
        "PSNR in the hole",
        "SSIM",
        "L1",
        "spread of 4 seeds",
        "likeness",
        "same person",
        "Fréchet distance",
    ]
    rows = []
    for r in report["holes"]:
        likeness = "" if r["identity"] is None else f"{r['identity']:.2f} of {r['identity_ceiling']:.2f}"
        same = "" if r["same_person"] is None else f"{r['same_person']:.1%}"
        figures = [f"{r['psnr']:.2f} dB", f"{r['ssim']:.3f}", f"{r['l1']:.1f}", f"{r['diversity']:.1f}"]
        rows.append([r["hole"], *figures, likeness, same, f"{r['frechet']:.2g}"])
    rows.append(["real pictures", *[""] * 4, *_real_people(report), f"{report['frechet_on_real_pictures']:.2g}"])
    outside = "equal" if all(r["outside_equal"] for r in report["holes"]) else "NOT equal"
    notes = [
        "PSNR, SSIM and L1 (0 to 255) are for a face's own emotion; the spread is the mean difference between the "
        f"completions of {SAMPLES} seeds, 0 to 255. All completions: variation {report['variation']:g}. "
        f"Pixels outside the hole: {outside}."
    ]
    if people := report["identity_on_real_pictures"]:
        notes.append(
            "Likeness: the cosine to the input by a small identity network, which sees the face and nothing around it, "
            "beside that of the pasted truth. Two real pictures of one person with different emotions have "
            f"{people['same_person']:.2f}, of two people {people['other_person']:.2f}; above "
            f"{people['threshold']:.2f}, which 1 % of the pairs of different people pass, two count as the same person."
        )
    notes.append(
        f"The Fréchet distance is on {report['frechet_features']} (emotions, not beauty), to "
        f"{report['frechet_reference_pictures']} real training pictures, and is no FID."
    )
    return f"{_table(head, rows)}\n\n{' '.join(notes)}"


def _real_people(report: dict) -> list[str]:
    people = report["identity_on_real_pictures"]
    return [f"{people['same_person']:.2f}", f"{people['same_person_passes']:.1%}"] if people else ["", ""]


def _per_emotion(report: dict) -> str:
    emotions = list(report["holes"][0]["accuracy_per_emotion"])
    rows = [
        [r["hole"], *(f"{r['accuracy_per_emotion'][e]:.0%} of {r['ceiling_per_emotion'][e]:.0%}" for e in emotions)]
        for r in report["holes"]
    ]
    return _table(["hole", *emotions], rows)


def _closer(report: dict) -> str:
    """Nearer to the truth than to the input: of people who hold still if there are some, else with a warning."""
    still = report.get("still")
    closer = still["closer"] if still else {r["hole"]: r["closer"] for r in report["holes"]}
    rows = [
        [
            kind,
            *(f"{c[share]:.1%}" for share in ("pixels", "features")),
            *(f"{c[distance]:.1f}" for distance in ("l1_to_truth", "l1_to_input")),
            str(c["edits"]),
        ]
        for kind, c in closer.items()
        if c
    ]
    if not rows:
        return ""
    nearer = ["edits nearer to the truth, by pixels", "by judge features"]
    head = ["hole", *nearer, "L1 to the truth", "L1 to the input", "edits"]
    if still:
        note = (
            f"Measured on {still['pictures']} pictures of {still['identities']} people who hold still: the truth is "
            "the same person with the wanted emotion, and nothing else differs."
        )
    else:
        note = (
            "Pixels mean little here unless the people of the set hold still from picture to picture: head and light "
            "count for more than the expression. A set made with `still: true` in its portrait recipe, given with "
            "--still, measures the expression alone."
        )
    return f"{_table(head, rows)}\n\n{note}"


def _halfway(report: dict) -> str:
    holes = (report.get("still") or {}).get("halfway")
    if not holes:
        return ""
    head = ["half and half", "nearer to the truth, by pixels", "L1 to the truth", "L1 to the input", "completions"]
    rows = [
        [kind, f"{h['nearer']:.1%}", f"{h['l1_to_truth']:.1f}", f"{h['l1_to_input']:.1f}", str(h["completions"])]
        for kind, h in holes.items()
    ]
    note = (
        "Asked for half of one emotion and half of another, each two of them in turn; the truth is the same person "
        "with half of both. Half an expression is a small change, so that fewer are told from the input."
    )
    return f"{_table(head, rows)}\n\n{note}"


def _photographs(report: dict) -> str:
    results = report["photographs"]
    if not results:
        return ""
    emotion = results[0]["emotion"]
    head = ["photographs", "faces", f"P({emotion}) rises", "at α = 0", "at α = 1", "same person", "distance"]
    rows, notes = [], []
    for r in results:
        shares = [f"{r['rises']:.1%}", f"{r['at_0']:.2f}", f"{r['at_1']:.2f}"]
        rows.append([r["source"], str(r["faces"]), *shares, f"{r['same_person']:.1%}", f"{r['distance']:.2f}"])
        real = ", ".join(f"{label} {p:.2f}" for label, p in r["real"].items())
        between = [
            f"{what} {distance:.2f}"
            for what, distance in (("one person", r["distance_same"]), ("two people", r["distance_other"]))
            if distance is not None
        ]
        outside = "equal" if r["outside_equal"] else "NOT equal"
        notes.append(
            f"{r['source']}: P({emotion}) of the photographs themselves, by label: {real}. Distance between "
            f"photographs of {', '.join(between)}. Pixels outside the hole: {outside}."
        )
    opening = (
        f"P({emotion}): a lower-face hole, α from 0 to 1, by face-api's expression network. Same person: a mouth hole "
        "at α = 1, closer to the photograph than 0.6 by face-api's identity network."
    )
    return f"{_table(head, rows)}\n\n{' '.join([opening, *notes])}"


# Sheets ---------------------------------------------------------------------------------------------------------------


def _brought(report: dict) -> str:
    groups = report.get("brought", [])
    if not groups:
        return ""

    def share(value: float | None) -> str:
        return "" if value is None else f"{value:.1%}"

    rows, notes = [], []
    for group in groups:
        for filled in group["holes"]:
            energies = " ".join(f"{energy:.2f}" for energy in filled["octaves"])
            dark = ", ".join(f"{d:.2f}" for d in (filled["darker"], filled["darker_moved"]) if d is not None)
            figures = [f"{filled['psnr']:.1f} dB", energies, share(filled["rises"]), share(filled["same_person"]), dark]
            rows.append([f"{group['source']} ({group['faces']})", filled["hole"], *figures])
        notes.append(f"{group['source']}: {group['colour']:.1f} of 255, {group['glow']:.2f}.")
    head = ["faces as brought", "hole", "PSNR", "energy by octave, finest first", "rises", "same person", "darker"]
    note = (
        "Each face in its own emotion, at 512 pixels. Energy: of the truth's in the hole, by octave of fineness; 1 is "
        f"as fine as the truth. Rises: P({groups[0]['emotion']}) by .1 or more when the slider goes from 0 to 1, by a "
        "public network. Darker: than the truth at the same rank of luminance, the darkest tenth of the hole and 5 of "
        "255 left out, 0 to 255; in its own emotion, and at 1. Colour in the hole of the pictures in black and white, "
        "and the brightest of the hole over the brightest of the face in pictures darkened to .3: "
    )
    return f"{_table(head, rows)}\n\n{note}{' '.join(notes)}"


def _clips(report: dict) -> str:
    clips = report.get("clips", [])
    read = [(clip["source"], [Steadiness(**figures) for figures in clip["figures"]]) for clip in clips]
    return steadiness_text(read) if clips else ""


@torch.no_grad()
def evaluation_sheet(pipeline: ECGANPipeline, faces: FaceSet, variation: float) -> Tensor:
    """The first 16 held-out faces of a fixed shuffle: input · hole · own · every emotion, for each of two holes."""
    face, emotion = fixed_faces(faces, SHEET_FACES)
    names = pipeline.emotion_set.names
    columns = []
    for kind in SHEET_HOLES:
        hole = region(kind, 1, face.shape[-1], torch.Generator(), jitter=0).expand(len(face), -1, -1, -1)
        wishes = [_completed(pipeline, face, hole, name, 0, variation) for name in names]
        own = torch.stack([wishes[int(e)][i] for i, e in enumerate(emotion)])
        columns += [face, face * (1 - hole), own, *wishes]
    return tile(torch.stack(columns, dim=1))


@torch.no_grad()
def samples_sheet(pipeline: ECGANPipeline, faces: FaceSet, variation: float) -> Tensor:
    """The same faces: input · hole · four seeds of the emotion that the visible part suggests, for each hole."""
    face, _ = fixed_faces(faces, SHEET_FACES)
    columns = []
    for kind in SHEET_HOLES:
        hole = region(kind, 1, face.shape[-1], torch.Generator(), jitter=0).expand(len(face), -1, -1, -1)
        columns += [
            face,
            face * (1 - hole),
            *(_completed(pipeline, face, hole, None, seed, variation) for seed in range(SAMPLES)),
        ]
    return tile(torch.stack(columns, dim=1))


@torch.no_grad()
def halfway_sheet(pipeline: ECGANPipeline, faces: FaceSet, variation: float) -> Tensor:
    """The same faces, for each hole: input · each emotion but neutral at half strength · each two neighbours of these
    half and half.
    """
    face, _ = fixed_faces(faces, SHEET_FACES)
    names = [name for name in pipeline.emotion_set.names if name != pipeline.emotion_set.neutral]
    pairs = [(pipeline.emotion_set.neutral, name) for name in names] + list(pairwise(names))
    columns = []
    for kind in SHEET_HOLES:
        hole = region(kind, 1, face.shape[-1], torch.Generator(), jitter=0).expand(len(face), -1, -1, -1)
        seeds = [0] * len(face)
        columns += [face, *(complete_halfway(pipeline, face, hole, *pair, seeds, variation) for pair in pairs)]
    return tile(torch.stack(columns, dim=1))


def _completed(
    pipeline: ECGANPipeline, face: Tensor, hole: Tensor, emotion: str | None, seed: int, variation: float
) -> Tensor:
    latent = pipeline.complete(face, hole, emotion=emotion, seeds=[seed] * len(face), variation=variation)
    return pipeline.decode(latent).cpu()
