"""What our trainer is worth: `python -m benchmarks.training` sets it beside a loop as one would first write it.

The plain loop has the same networks, losses and batches, in eager float32: no bfloat16, no channels-last, no fused
optimizer, and an average of the weights that goes from one to the next. A second table sets a step of the method as the
paper prints it (recipes/paper.yaml) beside one of ours.
"""

from __future__ import annotations

import math
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps

from ecgan_core.emotions.codes import replicate
from train.config import Networks, Source, TrainConfig, load_config
from train.learning.devices import make_accelerator
from train.learning.networks import build_networks
from train.learning.objective import Batch, CompletionObjective, DiscriminatorObjective, Judges, weigh
from train.learning.trainer import Trainer

from .ceiling import ceilings, operations
from .measuring import ours
from .measuring.measure import Part, Settings, Table, interleaved, ratio, run_alone, spoken, time_text
from .measuring.memory import can_measure, in_child, peak_megabytes

TINY = Networks(64, (8, 8, 16, 16), 12, (8, 16, 16), (8, 8, 16, 16), feature_widths=(8, 8, 16, 16))
PEOPLE = 3  # in the data set; the speed does not depend on it
WAYS = {"ours": "portraits-64", "the paper's": "paper"}  # recipes of one size


def config_of(settings: Settings) -> TrainConfig:
    """The first stage of recipes/portraits.yaml."""
    return on_examples(ours.recipe(128), settings)


def on_examples(config: TrainConfig, settings: Settings) -> TrainConfig:
    """A recipe at its beginning, on pictures that the project has with it."""
    config = replace(config, data=(Source("faces", held_out=0.0),), warmup_images=32)
    if not settings.quick:
        return config
    return replace(config, networks=replace(TINY, shared_trunk=config.networks.shared_trunk), batch=4)


def write_faces(folder: Path, config: TrainConfig) -> None:
    """A data set of the example pictures: turned round and named as they come, since nothing is learned from it."""
    for number, emotion in enumerate(config.emotions):
        place = folder / "faces" / emotion
        place.mkdir(parents=True)
        for person in range(PEOPLE):
            picture = Image.open(ours.FACES[(number + person) % len(ours.FACES)]).convert("RGB")
            (ImageOps.mirror(picture) if number % 2 else picture).save(place / f"{person}.png")


def our_trainer(config: TrainConfig, folder: Path, settings: Settings) -> Trainer:
    write_faces(folder, config)
    trainer = Trainer(config, folder, make_accelerator(config, folder, settings.device.type == "cpu"))
    trainer.begin()
    return trainer


class PlainLoop:
    """The method's training step and nothing more; batches come from a trainer."""

    def __init__(self, trainer: Trainer):
        self.trainer, self.config, self.step = trainer, trainer.config, 0
        networks = {name: network.to(trainer.device) for name, network in build_networks(trainer.config).items()}
        self.discriminator, self.features = networks["discriminator"], networks["features"]
        self.features.eval().requires_grad_(False)
        self.judges = Judges(self.discriminator, self.features)
        self.codes = networks["generator"].emotion_codes
        self.completion = CompletionObjective(networks["encoder"], networks["generator"], self.config)
        self.discrimination = DiscriminatorObjective(self.discriminator, self.config)
        self.trained = list(self.completion.parameters())
        self.average = [parameter.detach().clone() for parameter in self.trained]
        plain: dict[str, Any] = {"betas": self.config.betas, "foreach": False, "fused": False}
        self.of_completion = torch.optim.Adam(self.trained, self.config.learning_rate, **plain)
        self.of_discriminator = torch.optim.Adam(
            self.discriminator.parameters(), self.config.discriminator_learning_rate, **plain
        )

    def train_step(self) -> dict[str, torch.Tensor]:
        """One step of E and G, then one of D and Q; the terms of the loss."""
        batch = self.batch()
        weights = self.config.weights_at(0)
        self.discriminator.requires_grad_(False).eval()
        terms, drawn = self.completion(batch, self.judges, self.step % 2 == 1, weights.diversity > 0)
        self.of_completion.zero_grad()
        weigh(terms, weights, 0.1).backward()
        torch.nn.utils.clip_grad_norm_(self.trained, self.config.clip, foreach=False)
        self.of_completion.step()
        with torch.no_grad():
            for mean, parameter in zip(self.average, self.trained, strict=True):
                mean.lerp_(parameter, 1 - self.config.ema_decay)

        self.discriminator.requires_grad_(True).train()
        more = self.discrimination(batch, drawn)
        self.of_discriminator.zero_grad()
        (more["discriminator"] + weights.emotion * more["emotion"]).backward()
        self.of_discriminator.step()
        self.record_codes(batch)
        self.step += 1
        return terms | more

    def batch(self) -> Batch:
        batch = self.trainer.batch(self.trainer.chance())
        face, truth = batch.face.contiguous(), batch.truth.contiguous()
        return replace(batch, face=face, truth=face if batch.truth is batch.face else truth)

    def record_codes(self, batch: Batch) -> None:
        """A hundredth of the way from each recorded code to the mean of its faces' codes."""
        fed = replicate(batch.own, self.codes.shape[1])
        for emotion in range(len(self.codes)):
            own = fed[batch.label[:, emotion] > 0]
            if len(own):
                self.codes[emotion] = self.codes[emotion].lerp(own.mean(0), 0.01)


def measure(settings: Settings) -> Part:
    config, part = config_of(settings), Part()
    with tempfile.TemporaryDirectory() as folder:
        trainer = our_trainer(config, Path(folder), settings)
        plain = PlainLoop(trainer)
        names = ("our trainer", "the plain loop")
        cases = dict(zip(names, (trainer.train_step, plain.train_step), strict=True))
        for case in cases.values():
            case()  # the two kinds of steps are one call each
        found = interleaved(cases, settings.rounds(5), settings)
        count = operations(trainer.train_step)
        mode = trainer.accelerator.mixed_precision
    if any(not math.isfinite(term.item()) for term in plain.train_step().values()):
        raise ArithmeticError("the plain loop's losses are not finite: what it does is no training")

    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(mode, torch.float32)
    best = min(found[names[0]])
    share = count / best / ceilings(settings).get(("convolution", dtype), float("nan"))
    part.figures |= {
        "ratio.training": ratio(found[names[1]], found[names[0]]),
        "share.training": share,
        "images_per_second.trainer": config.batch / best,
        "images_per_second.plain": config.batch / min(found[names[1]]),
    }
    memory = dict.fromkeys(names, float("nan"))
    if can_measure(settings.device) and not settings.quick:
        memory = {name: in_child(training_memory, config, name == names[1], settings) for name in names}
        part.figures |= {"memory.trainer": memory[names[0]], "memory.plain": memory[names[1]]}
    rows = []
    for name, precision in zip(names, (spoken(dtype), "float32"), strict=True):
        peak = f"{memory[name]:.0f} MB" if math.isfinite(memory[name]) else "–"
        rate = config.batch / sorted(found[name])[len(found[name]) // 2]
        rows.append([name, precision, time_text(found[name]), f"{rate:.1f}", peak])
    note = (
        f"The plain loop takes {part.figures['ratio.training']:.2f} times as long. Networks of "
        f"{config.networks.image_size} pixels, batch {config.batch}, at the beginning of the run. A step has "
        f"{count / 1e9:.0f}·10⁹ operations; our trainer reaches {share:.0%} of the convolutions' ceiling there."
    )
    columns = ["what", "precision", "a step", "images a second", "peak memory above the networks"]
    part.tables += [Table("Training", columns, rows, note), as_printed(settings)]
    return part


def as_printed(settings: Settings) -> Table:
    """A step of recipes/paper.yaml beside one of recipes/portraits-64.yaml, whose networks have the same sizes."""
    rows = []
    with ExitStack() as stack:
        configs = {
            way: on_examples(load_config(ours.ROOT / "recipes" / f"{file}.yaml"), settings)
            for way, file in WAYS.items()
        }
        trainers = {
            way: our_trainer(config, Path(stack.enter_context(tempfile.TemporaryDirectory())), settings)
            for way, config in configs.items()
        }
        # Of ours every other step asks another network: the two are one turn.
        pairs = {way: partial(two_steps, trainer) for way, trainer in trainers.items()}
        found = interleaved(pairs, settings.rounds(5), settings)
    for way, config in configs.items():
        peak = "–"
        if can_measure(settings.device) and not settings.quick:
            peak = f"{in_child(training_memory, config, False, settings):.0f} MB"
        rows.append([way, time_text([seconds / 2 for seconds in found[way]]), peak])
    both = ratio(found["the paper's"], found["ours"])
    config = configs["ours"]
    note = (
        f"The paper's takes {both:.2f} times as long as ours. Networks of {config.networks.image_size} pixels, batch "
        f"{config.batch}, at the beginning of the run{', CPU-seconds of one thread' if settings.busy else ''}."
    )
    return Table(
        "The method as the paper prints it", ["recipe", "a step", "peak memory above the networks"], rows, note
    )


def two_steps(trainer: Trainer) -> None:
    for _ in range(2):
        trainer.train_step()


def training_memory(config: TrainConfig, is_plain: bool, settings: Settings) -> float:
    """The peak of two steps in MB, above the networks, the data and what the optimizers have before the first."""
    if settings.busy:
        torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        trainer = our_trainer(config, Path(folder), settings)
        loop = PlainLoop(trainer) if is_plain else trainer
        return peak_megabytes(lambda: [loop.train_step() for _ in range(2)], settings.device)


if __name__ == "__main__":
    run_alone(measure, "training", __doc__)
