"""How steady a completed clip is, held against its truth.

A rendered clip is masked as Face Hole does it, completed with one seed, and moved to what each of its frames shows.
What changes from frame to frame in the holes of both is what the eye takes for flicker, where it is more than in the
truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ecgan_core.face.face_hole import face_holes
from ecgan_core.face.portrait import complete_portraits, render, shift_portraits
from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.pipeline import ECGANPipeline

from ..metrics import PEAK, mean_in, psnr_in
from .clip import Clip, load_clip

HOLES = ("mouth", "eyes", "lower face", "whole face")
SHOWN = 8  # frames on the sheet
SEED = 0


@dataclass(frozen=True)
class Steadiness:
    """Figures of one kind of hole; differences in 0..255.

    Attributes:
        track: whether the faces were followed.
        change, of_truth: mean absolute difference of successive frames, of the completed clip and of the truth.
        off: mean absolute difference of the two changes, pixel by pixel.
        psnr: in each frame's hole, dB.
    """

    hole: str
    track: bool
    change: float
    of_truth: float
    off: float
    psnr: list[float]

    @property
    def flicker(self) -> float:
        """How much more changes than in the truth; below 0: less."""
        return self.change - self.of_truth


def steadiness(checkpoint: Path, clips: Sequence[Path], variation: float = 0.5, noise: float = 0.0) -> str:
    """The figures of some clips as Markdown; `noise` as in `measure_clip`.

    Raises:
        BadClip: a folder is no clip, or shows an emotion that the model does not know.
        ValueError: there can be no such noise.
    """
    if not 0 <= noise <= PEAK:
        raise ValueError(f"the noise must be from 0 to {PEAK:g}, but it is {noise:g}")
    pipeline = load_checkpoint(checkpoint)
    emotions = pipeline.emotion_set
    read = [load_clip(folder, emotions.names, emotions.neutral) for folder in clips]
    return steadiness_text([(clip.source, measure_clip(pipeline, clip, variation, noise)[0]) for clip in read])


def measure_clip(
    pipeline: ECGANPipeline, clip: Clip, variation: float, noise: float = 0.0
) -> tuple[list[Steadiness], Tensor]:
    """The figures of every kind of hole, followed and not, and a sheet [rows,5,3,H,W] in −1..1: some frames, and how
    each hole was filled in them, followed.

    `noise` is the standard deviation, in 0..255, of what is added to every frame before it is masked and completed; the
    truth has none. What a filled hole changes more by then, it takes from its surroundings.
    """
    taken = replace(clip, frames=noisy(clip.frames, noise))
    figures, columns = [], [clip.frames]
    for kind in HOLES:
        for track in (True, False):
            holes = face_holes(taken.frames, kind, track=track)
            filled = completed(pipeline, taken, holes, variation, track)
            figures.append(compared(kind, track, filled, clip.frames, holes))
            if track:
                columns.append(filled)
    some = torch.linspace(0, len(clip.frames) - 1, min(SHOWN, len(clip.frames))).round().long()
    return figures, torch.stack([column[some] for column in columns], dim=1) * 2 - 1


def noisy(frames: Tensor, noise: float) -> Tensor:
    """Frames [N,3,H,W] in 0..1 as a camera in little light takes them, each with noise of its own."""
    if not noise:
        return frames
    of_camera = torch.randn(frames.shape, generator=torch.Generator().manual_seed(SEED))
    return (frames + noise / PEAK * of_camera).clamp(0, 1)


def completed(pipeline: ECGANPipeline, clip: Clip, holes: Tensor, variation: float, track: bool) -> Tensor:
    """The frames [N,3,H,W] with their holes filled, each showing what it shows in truth."""
    neutral = pipeline.emotion_set.neutral
    portrait = complete_portraits(
        pipeline, clip.frames, holes, emotion=neutral, seeds=[SEED], variation=variation, track=track
    )
    for name in dict.fromkeys(name for of_frame in clip.weights for name in of_frame):
        by = [of_frame.get(name, 0.0) for of_frame in clip.weights]
        portrait = shift_portraits(pipeline, portrait, pipeline.vector(name), by)
    return torch.cat([render(pipeline, portrait[number]) for number in range(len(portrait))])


def compared(kind: str, track: bool, filled: Tensor, truth: Tensor, holes: Tensor) -> Steadiness:
    """The figures of frames [N,3,H,W] in 0..1 that were filled in holes [N,1,H,W]."""
    missing = (holes > 0.5).float()
    both = missing[1:] * missing[:-1]
    changes, of_truth = (frames[1:] - frames[:-1] for frames in (filled, truth))
    seen = both.flatten(1).any(dim=1)  # not where a frame was left as it is

    def mean(values: Tensor) -> float:
        return PEAK * mean_in(values.abs(), both)[seen].mean().item()

    psnr = psnr_in(2 * filled, 2 * truth, missing)[missing.flatten(1).any(dim=1)]
    return Steadiness(kind, track, mean(changes), mean(of_truth), mean(changes - of_truth), psnr.tolist())


def steadiness_text(clips: Sequence[tuple[str, Sequence[Steadiness]]]) -> str:
    """A row for each clip and kind of hole."""
    lines = [
        "| clip | hole | track | changes | the truth's | more by | off by | PSNR | lowest |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for source, figures in clips:
        for f in figures:
            psnr = torch.tensor(f.psnr)
            cells = [f"{source} ({len(f.psnr)})", f.hole, "yes" if f.track else "no", f"{f.change:.2f}"]
            cells += [f"{f.of_truth:.2f}", f"{f.flicker:+.2f}", f"{f.off:.2f}"]
            lines.append(f"| {' | '.join([*cells, f'{psnr.mean():.1f} dB', f'{psnr.min():.1f} dB'])} |")
    note = (
        "Changes: mean absolute difference of successive frames in the holes of both, 0 to 255, and how much more that "
        "is than the truth's. Off by: the mean absolute difference of the two changes, pixel by pixel. PSNR: mean and "
        "lowest over the frames. One seed; each frame is asked for what it shows."
    )
    return "\n".join([*lines, "", note])
