"""One training step: the networks, their optimizers and the clock, on one process or several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from ecgan_core.emotions.codes import replicate
from ecgan_core.face.holes import sample_holes

from ..config import TrainConfig
from ..data.augment import Change, change_faces, draw_change
from ..data.faces import FaceSet, NoFaces, draw, draw_looks, load_faces, step_generator
from ..runs import run_folder
from ..runs.state import State, StateError, put_back, save_state
from .chance import Chance
from .detail import DetailDiscriminatorObjective, DetailObjective, corners_near
from .deviations import record_deviations
from .devices import compile_blocks
from .judges.features import reading_accuracy, warm_up
from .judges.imagenet import ImageNetFeatures
from .judges.teacher import Teacher
from .networks import build_networks, start_from
from .objective import Batch, CompletionObjective, DiscriminatorObjective, Judges, weigh
from .processes import equalise, gather, share_batch_norm


class Trainer:
    """E, G, D, Q and φ of a config and what trains them, as `state` left them if there is one.

    Every process has its own; after each step all are equal.
    """

    def __init__(self, config: TrainConfig, data: Path, accelerator: Accelerator, state: State | None = None):
        self.config, self.accelerator, self.device = config, accelerator, accelerator.device
        self.step, self.is_new = 0, state is None
        torch.manual_seed(config.seed)
        with accelerator.main_process_first():  # so that one process decodes the pictures, and for all
            self.faces, self.held_out = load_both(config, data)

        self.networks = build_networks(config)
        self.encoder, self.generator = self.networks["encoder"], self.networks["generator"]
        self.discriminator, self.features = self.networks["discriminator"], self.networks["features"]
        self.origin = state.meta.get("origin", "") if state else ""  # the checkpoint that this run was fine-tuned from
        if config.start_from and state is None:
            self.origin = start_from(self.networks, Path(config.start_from), config)
        for network in self.networks.values():
            network.to(self.device, memory_format=torch.channels_last)

        self.judges = judges_of(self.networks, config, self.device)
        completion, discrimination = objectives_of(self.networks, config)
        self.smoothed = list(completion.parameters())
        self.ema = EMAModel(self.smoothed, decay=config.ema_decay, use_ema_warmup=True, power=0.75, foreach=True)
        rates = {"completion": config.learning_rate, "discriminator": config.discriminator_learning_rate}
        objectives = {"completion": completion, "discriminator": discrimination}
        fused = self.device.type in ("cpu", "cuda")
        optimizers = [
            torch.optim.Adam(objectives[name].parameters(), rate, config.betas, fused=fused)
            for name, rate in rates.items()
        ]
        if config.compile:
            compile_blocks(self.encoder, self.generator)
        self.completion, self.discrimination, *optimizers = accelerator.prepare(*objectives.values(), *optimizers)
        self.rates, self.optimizers = rates, dict(zip(rates, optimizers, strict=True))
        if state:
            self._go_on_from(state)

    @property
    def spares_nobody(self) -> bool:
        """Whether the set is so small that what stands for held-out faces is what is trained on."""
        return self.held_out is self.faces

    @property
    def images(self) -> int:
        """The clock: images trained on so far."""
        return self.step * self.config.batch

    def begin(self) -> float | None:
        """What comes before the first step of a session. In a new run that is the warm-up, whose success is returned:
        the share of `held_out` faces whose emotion Q names. Every process does all of it, from the same numbers.
        """
        accuracy = None
        if self.is_new:
            if not self.config.detail:  # whose Q is that of the model that was grown
                warm_up(self.discriminator, self.features, self.faces, self.config, self.accelerator)
            equalise(self.networks.values())
            accuracy = reading_accuracy(self.discriminator, self.held_out, self.device)
        self.features.eval().requires_grad_(False)
        share_batch_norm(self.discriminator)
        return accuracy

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

    def chance(self) -> Chance:
        """The random numbers of the present step."""
        generator = step_generator(self.config.seed, self.step)
        return Chance(generator, self.accelerator.process_index, self.accelerator.num_processes)

    def batch(self, chance: Chance) -> Batch:
        """This process's share of the step's batch. Every process draws all of it, and loads its own part."""
        config, generator, device = self.config, chance.generator, self.device
        index = draw(self.faces, config.batch, generator)
        change = None
        if config.augment:
            change = draw_change(config.batch, generator, mirror=config.mirror, light=config.light)
        hole = self._holes(index, generator)
        corner = None
        if config.detail:
            corner = corners_near(hole, config.detail, 2**config.networks.grown, generator)
            corner = chance.share(corner)
        own_emotion = self.faces.emotion[index]
        photographed = [config.emotions.index(emotion) for emotion in config.photographed]
        other = draw_looks(self.faces, index, config.mixed, generator, photographed)
        look = torch.where(torch.rand(config.batch, generator=generator) < config.resample, other, own_emotion)
        truth_index = torch.where(look == own_emotion, index, self.faces.pair[index, look])
        known = truth_index >= 0
        truth_index = torch.where(known, truth_index, index)
        strength = self._strengths(look == own_emotion, generator)

        index, truth_index = chance.share(index), chance.share(truth_index)
        if change is not None:
            change = change[chance.process :: chance.processes]
        face = self._faces(index, change)
        hole, known = chance.share(hole).to(device, non_blocking=True), chance.share(known).to(device).float()
        strength = chance.share(strength).to(device)[:, None]
        label, wanted = (self.faces.looks[chance.share(shown)].to(device) for shown in (own_emotion, look))
        truth = face
        if not torch.equal(index, truth_index):
            truth = torch.where(hole > 0, self._faces(truth_index, change), face)
        own = label
        if config.code == "inferred":
            with torch.no_grad():
                own = self.discriminator.eval().emotion_logits(face, torch.zeros_like(hole)).softmax(1)
            wanted = torch.where((label == wanted).all(dim=1, keepdim=True), own, wanted)
        neutral = self.faces.looks[config.emotions.index(config.neutral)].to(device)
        asked = torch.where(strength > 1, neutral + strength * (wanted - neutral), wanted)
        known = torch.where((asked == wanted).all(dim=1), known, known / 2)
        natural = torch.where(known == 0, wanted[:, photographed].sum(dim=1), known)
        return Batch(face, hole, label, own, wanted, asked, truth, known, natural, chance, corner)

    def _strengths(self, is_own: Tensor, generator: torch.Generator) -> Tensor:
        """How strongly each of the whole batch's faces is asked for what it is asked for, 1 being full strength."""
        if not self.config.beyond:
            return torch.ones(len(is_own))
        more, chosen = torch.rand(2, len(is_own), generator=generator)
        return torch.where(is_own & (chosen < 0.5), 1 + self.config.beyond * more, 1.0)

    def _holes(self, index: Tensor, generator: torch.Generator) -> Tensor:
        """A hole for each face of the whole batch, of its source's kinds where that has its own."""
        config, size = self.config, self.config.networks.image_size
        hole = sample_holes(config.holes, len(index), size, generator)
        for number, source in enumerate(config.data):
            chosen = self.faces.source[index] == number
            if source.holes and chosen.any():
                hole[chosen] = sample_holes(source.holes, int(chosen.sum()), size, generator)
        return hole

    def _faces(self, index: Tensor, change: Change | None) -> Tensor:
        face = self.faces.pick(index, self.device)
        if change is not None:
            face = change_faces(face, change)
        return face.contiguous(memory_format=torch.channels_last)

    def train_step(self) -> dict[str, Tensor]:
        """One step of E and G, then one of D and Q on the same batch; returns the terms, still on the device."""
        config, accelerator, chance = self.config, self.accelerator, self.chance()
        seed = int(torch.randint(2**62, (1,), generator=chance.generator))
        torch.manual_seed(seed + accelerator.process_index)  # for dropout
        batch = self.batch(chance)
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = self.rates[name] * self.learning_rate_share()

        weights = config.weights_at(self.images)
        self._let_discriminators_learn(False)
        with accelerator.autocast():
            terms, drawn = self.completion(
                batch,
                self.judges,
                config.second_opinion and self.step % 2 == 1,
                weights.diversity > 0,
            )
        self.optimizers["completion"].zero_grad()
        accelerator.backward(weigh(terms, weights, self.adversarial_share()))
        norm = accelerator.clip_grad_norm_(self.smoothed, config.clip)
        self.optimizers["completion"].step()
        self.ema.step(self.smoothed)
        if self.judges.teacher is not None:
            self.judges.teacher.follow(self.ema)

        self._let_discriminators_learn(True)
        with accelerator.autocast():
            d_terms = self.discrimination(batch, drawn)
        self.optimizers["discriminator"].zero_grad()
        shares = {"discriminator": 1.0, "projector": 1.0, "emotion": weights.emotion}
        accelerator.backward(torch.stack([shares[name] * term for name, term in d_terms.items()]).sum())
        self.optimizers["discriminator"].step()

        if not config.detail:
            self._record_codes(batch)
        self.step += 1
        return terms | d_terms | {"gradient_norm": norm}

    def _let_discriminators_learn(self, learn: bool) -> None:
        for judge in (self.judges.discriminator, self.judges.projected):
            if judge is not None:
                judge.requires_grad_(learn).train(learn)

    def _record_codes(self, batch: Batch, share: float = 0.01) -> None:
        """Keep each emotion's recorded code near the mean z_e of its faces, as METHOD's emotion control needs it."""
        codes = self.generator.emotion_codes
        fed, label = gather(replicate(batch.own, codes.shape[1])), gather(batch.label)
        count = label.sum(0)[:, None]
        mean = label.T @ fed / count.clamp(min=1)
        codes.copy_(torch.where(count > 0, codes.lerp(mean, share), codes))

    @contextmanager
    def ema_weights(self) -> Iterator[None]:
        """E and G wear their EMA weights inside this context."""
        self.ema.store(self.smoothed)
        self.ema.copy_to(self.smoothed)
        try:
            yield
        finally:
            self.ema.restore(self.smoothed)

    def save(self, path: Path) -> None:
        """Write the state from which a run goes on exactly, with what the noise of samples is to be made of."""
        chance = step_generator(self.config.seed, -1 - self.step)  # none of training's
        deviations = self.encoder.deviations
        # Grown levels change none of them: a seed goes on to mean the same face.
        if not self.config.detail or (deviations is not None and not deviations.any()):
            with self.ema_weights(), self.accelerator.autocast():
                record_deviations(self.encoder, self.faces, chance, self.config.batch)
        scaler = self.accelerator.scaler
        meta = {
            "step": self.step,
            "config": self.config.to_dict(),
            "data": run_folder.mark_of(self.faces),
            "origin": self.origin,
            "scaler": scaler.state_dict() if scaler else {},
        }
        save_state(path, self.networks, self.optimizers, self.ema, meta)

    def _go_on_from(self, state: State) -> None:
        """Put a saved state back.

        Raises:
            StateError: it is of other networks or other pictures than these.
        """
        before, now = state.meta.get("data"), run_folder.mark_of(self.faces)
        if before and before != now:
            raise StateError(
                f"the pictures are not those that the run in {state.path.parent} began with ({before} then, {now} "
                "now); put them back as they were, or start a new run in another folder, with --from if it shall "
                "build on this one's model"
            )
        put_back(state, self.networks, self.optimizers, self.ema)
        if self.judges.teacher is not None:
            self.judges.teacher.follow(self.ema)
        self.step = state.meta["step"]
        if self.accelerator.scaler and state.meta.get("scaler"):
            self.accelerator.scaler.load_state_dict(state.meta["scaler"])


def objectives_of(networks: dict[str, Any], config: TrainConfig) -> tuple[nn.Module, nn.Module]:
    """What E and G minimise, and what D and Q minimise."""
    encoder, generator, discriminator = (networks[name] for name in ("encoder", "generator", "discriminator"))
    judges = discriminator, config, networks.get("projected")
    if config.detail:
        return DetailObjective(encoder, generator, config), DetailDiscriminatorObjective(*judges)
    return CompletionObjective(encoder, generator, config), DiscriminatorObjective(*judges)


def judges_of(networks: dict[str, Any], config: TrainConfig, device: torch.device) -> Judges:
    """The networks that judge what E and G draw."""
    imagenet = None
    if config.uses("imagenet") or config.uses("projected"):
        imagenet = ImageNetFeatures().to(device)
        imagenet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub has no such call alone
    teacher = None
    if config.uses("mirrored"):
        teacher = Teacher(networks["encoder"], networks["generator"])
    return Judges(networks["discriminator"], networks["features"], imagenet, networks.get("projected"), teacher)


def load_both(config: TrainConfig, data: Path) -> tuple[FaceSet, FaceSet]:
    """The faces to train on, and those held out; a set too small to spare anybody is its own held-out one."""
    faces = load_faces(config, data)
    try:
        return faces, load_faces(config, data, held_out=True)
    except NoFaces:
        return faces, faces
