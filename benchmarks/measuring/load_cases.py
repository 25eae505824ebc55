"""What the load is made of: every node of the pack, in prompts whose end is known before they run."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from tools.comfyui import example
from tools.host import ROOT

API = ROOT / "workflows" / "api"
EMOTIONS = ("happy", "sad", "surprised", "angry")
SIZES = (256, 384, 640)
MODELS = ("ecgan-portraits-256.safetensors", "ecgan-portraits-128.safetensors", "ecgan-portraits-64.safetensors")
MINE = "mine.safetensors"  # whose file is replaced all the while
VECTOR = "load/kept_00001_.safetensors"  # that `first` leaves

# What Load EC-GAN Model may say about a file that somebody is writing just now.
IN_BETWEEN = ("is not an EC-GAN checkpoint", "was replaced while it was being read", "there is no model")

Prompt = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A prompt and its end.

    Attributes:
        pictures: node id → how many pictures it shows or saves, when the prompt is done.
        sentences: with one of which it fails; none for a prompt that must not.
        must_fail: whether it has to, or is only allowed to.
        interrupt: whether it is to be interrupted while it runs.
    """

    kind: str
    prompt: Prompt
    pictures: Mapping[str, int]
    sentences: tuple[str, ...] = ()
    must_fail: bool = False
    interrupt: bool = False


def prepare_inputs(folder: Path) -> None:
    """The examples' pictures, each in all `SIZES`, as SIZE-NAME."""
    example.prepare_inputs(folder)
    for path in sorted(file for file in example.PORTRAITS.iterdir() if file.suffix != ".mp4"):
        with Image.open(path) as picture:
            channels = picture.split()  # each by itself: resized as RGBA, what lies under the hole would be lost
            for size in SIZES:
                resized = Image.merge(picture.mode, [channel.resize((size, size)) for channel in channels])
                resized.save(folder / f"{size}-{path.name}", quality=95)


def _load(name: str, dice: random.Random, **completion: Any) -> Prompt:
    """An example, completing with another seed and the like."""
    prompt = example.load_prompt(API / f"{name}.json")
    settings = {"seed": dice.randrange(2**64), "variation": dice.choice((0.0, 0.5, 1.0)), **completion}
    settings["color_match"] = dice.choice((0.0, 0.0, 0.7))
    return example.with_inputs(prompt, "MaskedFaceComplete", **settings)


def _picture(dice: random.Random, *names: str) -> str:
    return f"{dice.choice(SIZES)}-{dice.choice(names)}"


def complete_and_shift(dice: random.Random) -> Case:
    samples = dice.choice((1, 1, 2, 4))
    prompt = _load("complete-and-shift", dice, samples=samples)
    prompt = example.with_inputs(prompt, "LoadImage", image=_picture(dice, "portrait-1.png", "portrait-2.png"))
    strength = dice.choice((-1.0, 0.0, 0.5, 1.5))
    prompt = example.with_inputs(prompt, "EmotionShift", emotion=dice.choice(EMOTIONS), strength=strength)
    return Case("complete, shift", prompt, dict.fromkeys("3456", samples))


def complete_a_part(dice: random.Random) -> Case:
    prompt = _load("complete-a-mouth", dice, emotion=dice.choice(EMOTIONS))
    prompt = example.with_inputs(prompt, "LoadImage", image=_picture(dice, "face-1.jpg", "face-2.jpg"))
    prompt = example.with_inputs(prompt, "ECGANFaceHole", part=dice.choice(("mouth", "eyes", "lower face")))
    return Case("face hole, complete", prompt, {"4": 1, "5": 1, "6": 1})


def batch(dice: random.Random) -> Case:
    samples = dice.choice((1, 2, 3))
    prompt = _load("batch-with-one-mask", dice, samples=samples)
    return Case("batch", prompt, {"6": 2 * samples, "7": 2 * samples})


def mix(dice: random.Random) -> Case:
    prompt = _load("blend-two-emotions", dice)
    prompt = example.with_inputs(prompt, "ECGANEmotionMix", weight_1=dice.choice((0.3, 1.0)), weight_3=-0.2)
    return Case("mix, shift", prompt, {"4": 1, "6": 1, "7": 1})


def sweep(dice: random.Random) -> Case:
    steps, ping_pong = dice.choice((2, 3, 5)), dice.choice((False, True))
    prompt = example.with_inputs(_load("animation-strip", dice), "ECGANEmotionSweep", steps=steps, ping_pong=ping_pong)
    frames = 2 * steps - 2 if ping_pong else steps
    return Case("sweep", prompt, {"4": 1, "5": 1, "6": frames, "7": 1})


def read(dice: random.Random) -> Case:
    return Case("shift, read", _load("emotion-slider", dice), {"4": 1, "5": 1, "6": 1, "7": 1})


def variations(dice: random.Random) -> Case:
    samples = dice.choice((4, 9))
    return Case("variations", _load("four-variations", dice, samples=samples), {"4": samples, "5": samples})


def vector(dice: random.Random) -> Case:
    prompt = example.with_inputs(_load("vector-from-photos", dice), "ECGANVectorSave", filename_prefix="load/built")
    return Case("build, save vector", prompt, {"13": 1, "14": 1, "15": 1})


def kept_vector(dice: random.Random) -> Case:
    """With the vector that `first` saved; it is of the first of `MODELS`."""
    prompt = _load("emotion-slider", dice)
    prompt["20"] = {"class_type": "ECGANVectorLoad", "inputs": {"file": VECTOR, "model": ["1", 0]}}
    prompt = example.with_inputs(prompt, "EmotionShift", vector=["20", 0])
    return Case("load vector", prompt, {"4": 1, "5": 1, "6": 1, "7": 1})


def first() -> Case:
    """Saves the vector that `kept_vector` loads."""
    case = vector(random.Random(0))
    prompt = example.with_inputs(case.prompt, "ECGANVectorSave", filename_prefix=VECTOR.rpartition("_0")[0])
    return replace(case, prompt=prompt)


GOOD = (complete_and_shift, complete_a_part, batch, mix, sweep, read, variations, vector)


def _failing(make: Callable[[random.Random], Case], dice: random.Random, kind: str, sentence: str, **inputs: Any):
    """A case of `make` with one input that is wrong: `inputs` is class → its inputs."""
    case = make(dice)
    prompt = case.prompt
    for class_type, values in inputs.items():
        prompt = example.with_inputs(prompt, class_type, **values)
    return replace(case, kind=kind, prompt=prompt, sentences=(sentence,), must_fail=True)


def bad(dice: random.Random) -> Case:
    which = dice.randrange(5)
    if which == 0:
        box = {"face_box": "40, thirty"}
        return _failing(complete_and_shift, dice, "bad box", "is not four numbers", MaskedFaceComplete=box)
    if which == 1:
        gone = {"model": "gone.safetensors"}
        return _failing(read, dice, "missing model", "there is no model 'gone.safetensors'", LoadECGAN=gone)
    if which == 2:
        whole = {"image": "face-1.jpg"}
        return _failing(complete_and_shift, dice, "no mask", "the mask is empty", LoadImage=whole)
    if which == 3:
        foreign = {"model": MODELS[1]}
        return _failing(kept_vector, dice, "vector of another model", "belongs to another model", LoadECGAN=foreign)
    unknown = {"emotion": "hilarious"}
    return _failing(complete_and_shift, dice, "unknown emotion", "hilarious", MaskedFaceComplete=unknown)


def cases(count: int, seed: int) -> list[Case]:
    """`count` prompts in random order: each kind, one in eight wrong, one in eight to be interrupted."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        if number % 8 == 3:
            made.append(bad(dice))
        elif number % 8 == 6:
            prompt = _load("four-variations", dice, samples=48)
            made.append(Case("to be interrupted", prompt, {"4": 48, "5": 48}, interrupt=True))
        elif number % 16 == 9:
            made.append(kept_vector(dice))
        else:
            made.append(_with_a_model(GOOD[number % len(GOOD)](dice), dice))
    dice.shuffle(made)
    return made


def _with_a_model(case: Case, dice: random.Random) -> Case:
    name, precision = dice.choice((*MODELS, MINE)), dice.choice(("auto", "auto", "fp32", "bf16", "fp16"))
    prompt = example.with_inputs(case.prompt, "LoadECGAN", model=name, precision=precision)
    return replace(case, prompt=prompt, sentences=IN_BETWEEN if name == MINE else ())
