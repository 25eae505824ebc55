"""What a few photographs of an emotion of one's own give, as docs/own-emotions.md tells it.

    python -m tools.own_emotions --out OUT

renders people with two expressions that the default model does not know, takes "photographs" of the first 4, 12 and 48
of them (a head that is tilted a little, somewhere in a larger picture), and goes both ways from there: a vector for the
default model, and a model of its own. Both are measured on people who are on none of the photographs. What is there
already is not made again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ecgan_core.emotions.vectors import EmotionVector
from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.pipeline import ECGANPipeline
from tools.host import ROOT
from train.ablations.picture import as_image
from train.config import Source, TrainConfig, load_config
from train.data.aligned import align_faces
from train.data.faces import FaceSet, load_faces
from train.evaluation.measure import holes_for
from train.export import export
from train.fit import fit
from train.portraits.recipe import load_recipe, recipe_from
from train.portraits.sheet import contact_sheet
from train.portraits.studio import render_set

COUNTS = (4, 12, 48)  # people on photographs
UNSEEN = 24  # people beside them, to measure on
EMOTIONS = ("smirk", "wink")
FACE, PHOTOGRAPH, TILT = 320, (720, 540), 8  # pixels, and degrees at most
HOLE = "whole face"
SHOWN, CELL = 2, 144  # people on the sheet, and pixels of each face

DEFAULT = ROOT / "models" / "ecgan-portraits-256.safetensors"
START = ROOT / "models" / "ecgan-portraits-128.safetensors"
RECIPE = ROOT / "recipes" / "artist-128.yaml"

Done = TypeVar("Done")


@dataclass(frozen=True)
class Figures:
    """Of one emotion: how far and how straight faces went where they should, from neutral to the person's truth."""

    share: float  # of the way: the change's length along the true change, over that one's
    cosine: float  # between both changes
    nearer: float  # share of people whose face is nearer to the truth than the one that was completed as neutral


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.own_emotions", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder for pictures, models, table and sheet")
    parser.add_argument("--images", type=int, default=1600, help="length of a model's training (default 1600)")
    parser.add_argument("--warmup", type=int, default=4000, help="images of its warm-up (default 4000)")
    arguments = parser.parse_args()
    out: Path = arguments.out
    people = rendered(out / "people")
    ways: dict[str, Way] = {}
    for count in COUNTS:
        folder = photographed(people, out / f"photographs-{count}", out / f"set-{count}", count)
        vector, model = out / f"vector-{count}", out / f"model-{count}"
        ways[vector.name] = timed(vector, partial(by_vector, folder))
        ways[model.name] = timed(model, partial(by_training, folder, model, arguments.images, arguments.warmup))
    text = table(out, people, ways)
    (out / "table.md").write_text(text + "\n", encoding="utf-8")
    sheet(people, ways).save(out / "sheet.jpg", quality=85)
    print(text)


def table(out: Path, people: Path, ways: dict[str, Way]) -> str:
    """A row for each way and number of people, in Markdown; the seconds are those since the photographs."""
    lines = ["| | seconds | " + " | ".join(EMOTIONS) + " |", "|---" * (2 + len(EMOTIONS)) + "|"]
    for name, way in ways.items():
        seconds = seconds_of(out / f"set-{name.split('-')[1]}") + seconds_of(out / name)
        found = [measured(way, people, emotion) for emotion in EMOTIONS]
        cells = [f"{100 * f.share:.0f} %, {f.cosine:.2f}, {100 * f.nearer:.0f} %" for f in found]
        lines.append(f"| {name} | {seconds:.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


# Pictures -------------------------------------------------------------------------------------------------------------


def rendered(folder: Path) -> Path:
    """People who wear the emotions, the photographed ones first; those of the largest count and the unseen ones."""
    known = load_recipe(ROOT / "recipes" / "emotions" / "artist.yaml")
    worn = {name: dict(known.emotions[name]) for name in (known.neutral, *EMOTIONS)}
    recipe = recipe_from({"emotions": worn, "seed": 65_000, "still": True})
    render_set(recipe, folder, COUNTS[-1] + UNSEEN, 256)
    return folder


def photographed(people: Path, folder: Path, out: Path, count: int) -> Path:
    """Photographs of the first people, and the set that `train faces` makes of them."""
    if out.is_dir():
        return out
    for emotion in ("neutral", *EMOTIONS):
        (folder / emotion).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            with Image.open(people / emotion / f"{i:05}.jpg") as face:
                photograph(face, torch.Generator().manual_seed(i)).save(folder / emotion / f"{i:05}.jpg", quality=92)
    print(timed(out, partial(align_faces, folder, out)))
    return out


def photograph(face: Image.Image, dice: torch.Generator) -> Image.Image:
    """The face somewhere in a larger picture, tilted; beyond it is the colour of its upper corner."""
    tilt, across, down = (torch.rand(3, generator=dice) * 2 - 1).tolist()
    face = face.resize((FACE, FACE), Image.Resampling.LANCZOS)
    corner = face.getpixel((2, 2))
    place = (
        round((PHOTOGRAPH[0] - FACE) / 2 * (1 + 0.6 * across)),
        round((PHOTOGRAPH[1] - FACE) / 2 * (1 + 0.6 * down)),
    )
    picture = Image.new("RGB", PHOTOGRAPH, corner)
    picture.paste(face, place)
    middle = (place[0] + FACE / 2, place[1] + FACE / 2)
    return picture.rotate(TILT * tilt, Image.Resampling.BICUBIC, center=middle, fillcolor=corner)


# The two ways ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """A model, and vectors for what it does not know by name."""

    pipeline: ECGANPipeline
    vectors: dict[str, EmotionVector] = field(default_factory=dict)

    def draw(self, faces: Tensor, holes: Tensor, emotion: str) -> Tensor:
        """Completions of faces [B,3,S,S] in −1..1, the same seeds for every emotion."""
        vector = self.vectors.get(emotion)
        latent = self.pipeline.complete(
            faces, holes, emotion="neutral" if vector else emotion, seeds=list(range(len(faces))), variation=0.5
        )
        return self.pipeline.decode(self.pipeline.shift(latent, vector, 1.0) if vector else latent).cpu()


def by_vector(folder: Path) -> Way:
    """The default model, and vectors from the set's neutral faces to the others."""
    pipeline = load_checkpoint(DEFAULT)
    faces = faces_of(folder, pipeline.frame_size)
    neutral, *groups = [faces.pick((faces.emotion == i).nonzero()[:, 0]) for i in range(1 + len(EMOTIONS))]
    vectors = {
        name: pipeline.build_vector(name, group, neutral)[0] for name, group in zip(EMOTIONS, groups, strict=True)
    }
    return Way(pipeline, vectors)


def by_training(folder: Path, run: Path, images: int, warmup: int) -> Way:
    """A model that knows these emotions alone, fine-tuned from the bundled one of 128 pixels."""
    checkpoint = run.with_suffix(".safetensors")
    if not checkpoint.is_file():
        fit(recipe_of(folder, images, warmup), folder, run, resume="auto")
        export(run, checkpoint)
    return Way(load_checkpoint(checkpoint))


def recipe_of(folder: Path, images: int, warmup: int) -> TrainConfig:
    """The artist's recipe on photographs: nobody is held out, and nobody holds still."""
    return replace(
        load_config(RECIPE),
        emotions=("neutral", *EMOTIONS),
        data=(Source(str(folder.resolve()), held_out=0.0),),
        images=images,
        warmup_images=warmup,
        later=(),
        start_from=str(START),
        grid_every=images,
        save_every=images,
    )


def timed(place: Path, work: Callable[[], Done]) -> Done:
    """Do it; the seconds that it took the first time are kept beside `place`."""
    started = time.perf_counter()
    done = work()
    if not (clock := place.with_suffix(".seconds")).is_file():
        clock.write_text(f"{time.perf_counter() - started:.1f}", encoding="utf-8")
    return done


def seconds_of(place: Path) -> float:
    return float(place.with_suffix(".seconds").read_text(encoding="utf-8"))


# Figures and faces ----------------------------------------------------------------------------------------------------


def faces_of(folder: Path, size: int) -> FaceSet:
    """The faces of a set at a model's size."""
    config = recipe_of(folder, 1, 1)
    return load_faces(replace(config, networks=replace(config.networks, image_size=size)), folder)


def unseen(people: Path, size: int) -> dict[str, Tensor]:
    """Emotion → the faces [UNSEEN,3,S,S] in −1..1 of those who are on no photograph."""
    shown = {}
    for emotion in ("neutral", *EMOTIONS):
        files = [people / emotion / f"{i:05}.jpg" for i in range(COUNTS[-1], COUNTS[-1] + UNSEEN)]
        pictures = [Image.open(file).convert("RGB").resize((size, size), Image.Resampling.LANCZOS) for file in files]
        shown[emotion] = torch.from_numpy(np.stack([np.asarray(p) for p in pictures])).movedim(-1, 1) / 127.5 - 1
    return shown


@torch.inference_mode()
def measured(way: Way, people: Path, emotion: str) -> Figures:
    real = unseen(people, way.pipeline.frame_size)
    holes = holes_for(HOLE, UNSEEN, way.pipeline.frame_size)
    before, after = (way.draw(real["neutral"], holes, name) for name in ("neutral", emotion))
    change, due = ((after - before) * holes).flatten(1), ((real[emotion] - real["neutral"]) * holes).flatten(1)
    to_truth = [((face - real[emotion]) * holes).abs().flatten(1).sum(1) for face in (before, after)]
    return Figures(
        share=((change * due).sum(1) / due.square().sum(1)).mean().item(),
        cosine=F.cosine_similarity(change, due).mean().item(),
        nearer=(to_truth[1] < to_truth[0]).float().mean().item(),
    )


@torch.inference_mode()
def sheet(people: Path, ways: dict[str, Way]) -> Image.Image:
    """The first unseen people with each emotion: as they are, as it should be, and what each way draws."""
    columns = sorted(ways, key=lambda name: name.split("-")[0])  # the models, then the vectors
    rows, names = [], []
    for emotion in EMOTIONS:
        real = unseen(people, CELL)
        drawn = [real["neutral"][:SHOWN], real[emotion][:SHOWN]]
        for name in columns:
            size = ways[name].pipeline.frame_size
            faces = unseen(people, size)["neutral"][:SHOWN]
            picture = ways[name].draw(faces, holes_for(HOLE, SHOWN, size), emotion)
            drawn.append(F.interpolate(picture, (CELL, CELL), mode="bicubic", antialias=True))
        rows += [[as_image(picture) for picture in of_person] for of_person in zip(*drawn, strict=True)]
        names += [emotion] * SHOWN
    return contact_sheet(rows, ["neutral", "the truth", *columns], names, CELL)


if __name__ == "__main__":
    main()
