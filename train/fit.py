"""`fit`: train E, G, D and Q from a recipe, resumably, with nothing but a folder for an observer."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from diffusers.training_utils import EMAModel

from ecgan_core.checkpoint import save_checkpoint
from ecgan_core.discriminator import Discriminator
from ecgan_core.emotions import replicate
from ecgan_core.encoder import Encoder
from ecgan_core.files import replacing
from ecgan_core.generator import Generator
from ecgan_core.masks import sample_holes
from ecgan_core.pipeline import ECGANPipeline

from .config import TrainConfig
from .data import FaceSet, NoFaces, augment, draw, load_faces, step_generator, to_float
from .features import FeatureNetwork, reading_accuracy, warm_up
from .grid import fixed_faces, sample_grid, write_picture
from .objective import Batch, CompletionObjective, DiscriminatorObjective, weigh
from .state import StateError, load_state, read_meta, save_state

STATE = "state.safetensors"


class Trainer:
    """The networks, their optimizers and the clock. `run` trains to the end of the recipe."""

    def __init__(self, config: TrainConfig, data: Path, out: Path, cpu: bool = False):
        self.config, self.out = config, out
        self.accelerator = Accelerator(mixed_precision=config.mixed_precision, cpu=cpu)
        self.device = self.accelerator.device
        torch.manual_seed(config.seed)
        self.faces = load_faces(config, data)
        try:
            self.held_out = load_faces(config, data, held_out=True)
        except NoFaces:  # a custom set may be too small to spare anybody
            self.held_out = self.faces
        self.grid_faces = fixed_faces(self.held_out, 8)

        self.networks = build_networks(config)
        for network in self.networks.values():
            network.to(self.device, memory_format=torch.channels_last)
        self.encoder, self.generator = self.networks["encoder"], self.networks["generator"]
        self.discriminator, self.features = self.networks["discriminator"], self.networks["features"]

        completion = CompletionObjective(self.encoder, self.generator, config)
        self.ema = EMAModel(completion.parameters(), decay=config.ema_decay, use_ema_warmup=True, power=0.75)
        self.optimizers = {
            "completion": torch.optim.Adam(completion.parameters(), config.learning_rate, config.betas),
            "discriminator": torch.optim.Adam(
                self.discriminator.parameters(), config.discriminator_learning_rate, config.betas
            ),
        }
        discriminator_objective = DiscriminatorObjective(self.discriminator, config)
        self.completion, self.discrimination, *prepared = self.accelerator.prepare(
            completion, discriminator_objective, *self.optimizers.values()
        )
        self.optimizers = dict(zip(self.optimizers, prepared, strict=True))
        self.step = 0

    @property
    def images(self) -> int:
        """The clock: images trained on so far."""
        return self.step * self.config.batch

    def run(self) -> None:
        """Train from the present step to the recipe's end, saving as it goes, and export the EMA weights."""
        config = self.config
        if self.step == 0:
            self._forget_metrics_after(0)
            warm_up(self.discriminator, self.features, self.faces, config, self.accelerator)
            accuracy = reading_accuracy(self.discriminator, self.held_out, self.device)
            self.say(f"Q names the emotion of {accuracy:.1%} of {len(self.held_out)} held-out faces")
            self.write_grid()
        self.features.eval().requires_grad_(False)
        last_step = math.ceil(config.images / config.batch)
        totals: dict[str, float] = defaultdict(float)
        started, counted = time.monotonic(), 0
        while self.step < last_step:
            for name, value in self.train_step().items():
                totals[name] += value
            counted += 1
            if self._due(config.log_every) or self.step == last_step:
                rate = counted * config.batch / (time.monotonic() - started)
                self.log({name: value / counted for name, value in totals.items()} | {"images_per_second": rate})
                totals.clear()
                started, counted = time.monotonic(), 0
            if self._due(config.grid_every) or self.step == last_step:
                self.write_grid()
            if self._due(config.save_every) or self.step == last_step:
                self.save()
        self.export(self.out / "model.safetensors")

    def _due(self, every: int) -> bool:
        """Whether the clock has just passed a multiple of `every` images."""
        return self.images // every != (self.images - self.config.batch) // every

    def learning_rate_share(self) -> float:
        """1 until the last `decay_share` of the run, then linearly down to 0."""
        if self.config.decay_share <= 0:
            return 1.0
        return min(1.0, (1 - self.images / self.config.images) / self.config.decay_share)

    def adversarial_share(self) -> float:
        """From a tenth to 1 over `adversarial_ramp` of the run: a D that starts strong leaves artefacts."""
        if self.config.adversarial_ramp <= 0:
            return 1.0
        return min(1.0, 0.1 + 0.9 * self.images / (self.config.images * self.config.adversarial_ramp))

    def batch(self, generator: torch.Generator) -> Batch:
        """This process's share of the step's batch."""
        config, accelerator = self.config, self.accelerator
        index = draw(self.faces, config.batch, generator)
        face = to_float(self.faces.faces[index])
        face = augment(face, generator) if config.augment else face
        hole = sample_holes(config.holes, config.batch, face.shape[-1], generator)
        label = F.one_hot(self.faces.emotion[index], len(config.emotions)).float()
        other = torch.randint(len(config.emotions), (config.batch,), generator=generator)
        resampled = torch.rand(config.batch, 1, generator=generator) < config.resample
        wanted = torch.where(resampled, F.one_hot(other, len(config.emotions)).float(), label)
        mine = slice(accelerator.process_index, None, accelerator.num_processes)
        face, hole, label, wanted = (t[mine].to(self.device) for t in (face, hole, label, wanted))
        own = label
        if config.code == "inferred":
            with torch.no_grad():
                own = self.discriminator.eval().emotion_logits(face, torch.zeros_like(hole)).softmax(1)
            wanted = torch.where((label == wanted).all(dim=1, keepdim=True), own, wanted)
        return Batch(face.contiguous(memory_format=torch.channels_last), hole, label, own, wanted)

    def train_step(self) -> dict[str, float]:
        """One step of E and G, then one of D and Q on the same batch; returns the terms as plain numbers."""
        config, accelerator = self.config, self.accelerator
        generator = step_generator(config.seed, self.step)
        torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)) + accelerator.process_index)
        batch = self.batch(generator)
        rates = {"completion": config.learning_rate, "discriminator": config.discriminator_learning_rate}
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = rates[name] * self.learning_rate_share()

        self.discriminator.requires_grad_(False).eval()
        with accelerator.autocast():
            terms, composites = self.completion(batch, self.discriminator, self.features, self.step % 2 == 1)
        weights = config.weights_at(self.images)
        loss = weigh(terms, weights, self.adversarial_share())
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss.item()} at {self.images} images; start again with a lower learning_rate"
            )
        self.optimizers["completion"].zero_grad()
        accelerator.backward(loss)
        norm = accelerator.clip_grad_norm_(self.completion.parameters(), config.clip)
        self.optimizers["completion"].step()
        self.ema.step([*self.encoder.parameters(), *self.generator.parameters()])

        self.discriminator.requires_grad_(True).train()
        with accelerator.autocast():
            d_terms = self.discrimination(batch, composites, generator)
        self.optimizers["discriminator"].zero_grad()
        accelerator.backward(d_terms["discriminator"] + weights.emotion * d_terms["emotion"])
        self.optimizers["discriminator"].step()

        self._record_codes(batch)
        self.step += 1
        return {k: v.item() for k, v in (terms | d_terms | {"gradient_norm": norm}).items()}

    def _record_codes(self, batch: Batch, share: float = 0.01) -> None:
        """Keep each emotion's recorded code near the mean z_e of its faces, as METHOD's emotion control needs it."""
        codes = self.generator.emotion_codes
        fed, emotion = replicate(batch.own, codes.shape[1]), batch.label.argmax(1)
        for i in emotion.unique():
            codes[i].lerp_(fed[emotion == i].mean(0), share)

    @contextmanager
    def ema_weights(self) -> Iterator[None]:
        """E and G wear their EMA weights inside this context."""
        parameters = [*self.encoder.parameters(), *self.generator.parameters()]
        self.ema.store(parameters)
        self.ema.copy_to(parameters)
        try:
            yield
        finally:
            self.ema.restore(parameters)

    def write_grid(self) -> None:
        """`grid-IMAGES.jpg` of the EMA weights."""
        if self.accelerator.is_main_process:
            with self.ema_weights():
                face, emotion = self.grid_faces
                picture = sample_grid(self.encoder, self.generator, face.to(self.device), emotion)
            write_picture(picture, self.out / f"grid-{self.images:07d}.jpg")

    def log(self, values: dict[str, float]) -> None:
        """One status line, and one line of `metrics.jsonl`."""
        left = (self.config.images - self.images) / values["images_per_second"]
        shown = ("appearance", "perceptual", "mutual_information", "kl", "discriminator", "emotion")
        losses = "  ".join(f"{name} {values[name]:.3f}" for name in shown)
        rate = values["images_per_second"]
        self.say(f"{self.images:>9,} images  {rate:6.1f}/s  {left / 60:5.0f} min left  {losses}")
        if self.accelerator.is_main_process:
            with (self.out / "metrics.jsonl").open("a") as file:
                file.write(json.dumps({"images": self.images} | {k: round(v, 6) for k, v in values.items()}) + "\n")

    def _forget_metrics_after(self, images: int) -> None:
        """Drop the lines of `metrics.jsonl` that a killed run wrote after its last saved state."""
        path = self.out / "metrics.jsonl"
        if self.accelerator.is_main_process and path.is_file():
            lines = path.read_text().splitlines(keepends=True)
            kept = "".join(line for line in lines if json.loads(line)["images"] <= images)
            with replacing(path) as temporary:
                Path(temporary).write_text(kept)

    def say(self, text: str) -> None:
        """Print on the main process."""
        self.accelerator.print(text, flush=True)

    def save(self) -> None:
        """The run's state, from which `resume` goes on exactly."""
        if self.accelerator.is_main_process:
            meta = {"step": self.step, "config": self.config.to_dict()}
            save_state(self.out / STATE, self.networks, self.optimizers, self.ema, meta)

    def resume(self) -> None:
        """Go on from the run's saved state.

        Raises:
            StateError: there is none, or it was made with another config; the text names the keys that differ.
        """
        path = self.out / STATE
        if not path.is_file():
            raise StateError(f"there is nothing to resume in {self.out}: {STATE} is missing")
        before, now = read_meta(path)["config"], self.config.to_dict()
        changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
        if changed:
            raise StateError(
                f"the run in {self.out} was made with another recipe ({', '.join(changed)} differ); "
                "resume with the recipe it was started with, or start a new run in another folder"
            )
        self.step = load_state(path, self.networks, self.optimizers, self.ema)["step"]
        self._forget_metrics_after(self.images)

    def export(self, path: Path) -> None:
        """The EMA weights as one file that nodes and pipeline load."""
        if self.accelerator.is_main_process:
            with self.ema_weights():
                save_checkpoint(pipeline_of(self.networks, self.config), path)


def build_networks(config: TrainConfig) -> dict[str, Any]:
    """E, G, D and φ of a config, untrained."""
    sizes = config.networks
    shape = {"image_size": sizes.image_size, "widths": sizes.widths, "latent_channels": sizes.latent_channels}
    num_emotions = len(config.emotions)
    return {
        "encoder": Encoder(**shape),
        "generator": Generator(**shape, num_emotions=num_emotions),
        "discriminator": Discriminator(
            sizes.image_size,
            sizes.discriminator_widths,
            sizes.emotion_widths,
            num_emotions,
            emotion_cells=sizes.emotion_cells,
            shared_trunk=sizes.shared_trunk,
        ),
        "features": FeatureNetwork(sizes.feature_widths, num_emotions, sizes.emotion_cells),
    }


def pipeline_of(networks: dict[str, Any], config: TrainConfig) -> ECGANPipeline:
    """E, G and Q of `build_networks`, as the pipeline that users run."""
    return ECGANPipeline(
        networks["encoder"], networks["generator"], networks["discriminator"], list(config.emotions), config.neutral
    )


def describe(faces: FaceSet, config: TrainConfig) -> str:
    """One line about a data set: pictures, identities, pictures per emotion."""
    counts = torch.bincount(faces.emotion, minlength=len(config.emotions)).tolist()
    per_emotion = ", ".join(f"{name} {count}" for name, count in zip(config.emotions, counts, strict=True))
    return f"{len(faces):,} pictures of {len(set(faces.identity)):,} identities: {per_emotion}"
