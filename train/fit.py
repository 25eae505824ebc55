"""`fit`: train a recipe in a folder, resumably, with nothing but that folder for an observer."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
import yaml
from torch import Tensor

from ecgan_core.files.checkpoint import save_checkpoint
from ecgan_core.files.disk import CannotWrite, sweep, writing
from ecgan_core.files.replacing import replacing
from ecgan_core.words import printable

from .config import ConfigError, TrainConfig
from .data.faces import FaceSet
from .learning.devices import has_bf16, make_accelerator
from .learning.networks import build_networks, pipeline_of
from .learning.processes import gather, settle
from .learning.trainer import Trainer
from .runs import run_folder
from .runs.chart import write_chart
from .runs.grid import fixed_faces, sample_grid, write_picture
from .runs.interrupt import StopWish
from .runs.state import State, StateError
from .runs.status import FIRST_WORD, Tally, status_line

__all__ = ["Run", "build_networks", "describe", "fit", "pipeline_of"]

CARRY_ON, TIME_IS_UP, WAS_ASKED = range(3)  # whether to stop after a step, and why
ASK_EVERY = 8  # steps after which several processes ask each other whether one of them was told to stop


def fit(
    config: TrainConfig,
    data: Path,
    out: Path,
    resume: str = "no",
    cpu: bool = False,
    tensorboard: bool = False,
    minutes: float | None = None,
) -> bool:
    """Train `config` on the sources in `data`, in the run's folder `out`; whether it came to the recipe's end.

    Args:
        resume: "no" begins a run; "yes" goes on with the one in `out`; "auto" does whichever there is to do.
        minutes: after which it saves and stops before the end, for machines that are lent for a while. What comes
            before the first step (decoding the faces, the warm-up of φ and Q) is never cut short.

    Raises:
        StateError: there is already a run, or none, or one of another recipe.
        ConfigError: the recipe asks for what only a model to start from has, and names none.
        CannotWrite: the disk is full or the like; what was saved before is whole.
        KeyboardInterrupt: Ctrl-C or SIGTERM; says what was saved.
    """
    begun = run_folder.is_begun(out)
    if resume == "no" and begun:
        raise StateError(f"{out} already holds a run; give another --out, or --resume to go on with that one")
    state, damaged = run_folder.newest_state(out) if resume == "yes" or begun else (None, [])
    if state is not None:
        config = run_folder.resumed_config(out, state, config)
    else:
        must_have_something_to_grow(config)
    with StopWish(minutes) as wish:
        accelerator = make_accelerator(config, out, cpu, tensorboard)
        try:
            trainer = Trainer(config, data, accelerator, state)
            run = Run(trainer, out)
            if state is not None:
                for problem in damaged:
                    run.say(f"{problem}; it is set aside, and the run goes on from {state.path.name}")
                run.tidy(state)
            if tensorboard:
                purge = {"purge_step": trainer.images + 1}
                accelerator.init_trackers("tensorboard", init_kwargs={"tensorboard": purge})
            run.describe()
            return run.train(wish)
        except CannotWrite as problem:
            if not run_folder.states_of(out):
                raise
            raise CannotWrite(f"{problem}; what was saved before is whole, and --resume goes on from it") from problem
        finally:
            settle()
            accelerator.end_training()


def must_have_something_to_grow(config: TrainConfig) -> None:
    """Raise ConfigError where a new run would train detail alone, on a frozen model that nobody has trained."""
    if config.detail and not config.start_from:
        raise ConfigError(
            "detail: it is grown onto a trained model; name one with start_from or --from, or give detail 0"
        )


class Run:
    """A `Trainer` and the folder that shows what it does."""

    def __init__(self, trainer: Trainer, out: Path):
        self.trainer, self.out = trainer, out
        self.config, self.accelerator = trainer.config, trainer.accelerator
        self.grid_faces = fixed_faces(trainer.held_out, 8)
        self.tally = Tally()

    def train(self, wish: StopWish | None = None) -> bool:
        """Train from the present step to the recipe's end, saving as it goes; the model is exported at every save.

        False if the wish's time was up before the end.

        Raises:
            KeyboardInterrupt: `wish` was asked to stop; the state of that step is saved.
            FloatingPointError: a loss is not finite any more.
        """
        config, trainer, wish = self.config, self.trainer, wish or StopWish()
        self.prepare_folder()
        accuracy = trainer.begin()
        wish.patient = True
        if accuracy is not None:
            seen = "faces that it has learnt from" if trainer.spares_nobody else "held-out faces"
            self.say(f"Q names the emotion of {accuracy:.1%} of {len(trainer.held_out)} {seen}")
            self.save()
        else:
            self.show()  # a kill may have come between the state and what is made of it
        if trainer.step == 0:
            self.write_grid()
        last_step, silent_since = math.ceil(config.images / config.batch), time.monotonic()
        self.tally.restart()
        while trainer.step < last_step:
            self.tally.add(trainer.train_step())
            ended = trainer.step == last_step
            if self._due(config.log_every) or ended:
                self.log()
                silent_since = math.inf
            elif time.monotonic() - silent_since > FIRST_WORD:
                self.say(status_line(trainer.images, config.images, self._values(self.tally.means())))
                silent_since = math.inf
            if self._due(config.grid_every) or ended:
                self.write_grid()
            stopping = CARRY_ON if ended else self._reason_to_stop(wish)
            if self._due(config.save_every) or ended or stopping:
                self.save()
            saved = f"stopped and saved at {trainer.images:,} images; --resume goes on from there"
            if stopping == WAS_ASKED:
                raise KeyboardInterrupt(saved)
            if stopping == TIME_IS_UP:
                self.say(f"the time is up: {saved}")
                return False
        return True

    def _due(self, every: int) -> bool:
        """Whether the clock has just passed a multiple of `every` images."""
        return self.trainer.images // every != (self.trainer.images - self.config.batch) // every

    def _reason_to_stop(self, wish: StopWish) -> int:
        """Why this process shall stop, or another one: they have to stop after the same step, and for one reason."""
        reason = WAS_ASKED if wish.asked else TIME_IS_UP if wish.time_is_up else CARRY_ON
        if self.accelerator.num_processes == 1:
            return reason
        if self.trainer.step % ASK_EVERY:
            return CARRY_ON
        return int(gather(torch.tensor([reason], device=self.trainer.device)).max())

    def prepare_folder(self) -> None:
        """The folder, without what a kill left half-written, and `config.yaml`: what decides the run."""
        with writing(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
        if self.accelerator.is_main_process:
            sweep(self.out)
            with replacing(self.out / "config.yaml") as temporary:
                Path(temporary).write_text(self.recipe())

    def write_grid(self) -> None:
        """`grid-IMAGES.jpg` of the EMA weights."""
        trainer = self.trainer
        if self.accelerator.is_main_process:
            with trainer.ema_weights():
                face, emotion = self.grid_faces
                picture = sample_grid(trainer.encoder, trainer.generator, face.to(trainer.device), emotion)
            write_picture(picture, self.out / f"grid-{trainer.images:07d}.jpg")

    def _values(self, means: Tensor) -> dict[str, float]:
        """Mean terms and `images_per_second` as plain numbers.

        Raises:
            FloatingPointError: one of them is not finite.
        """
        values = dict(zip(self.tally.names, means.tolist(), strict=True))
        for name, value in values.items():
            skipped = name == "gradient_norm" and self.accelerator.scaler  # fp16's scaler leaves out such a step
            if not math.isfinite(value) and not skipped:
                raise FloatingPointError(
                    f"{name} is {value} at {self.trainer.images:,} images; what was saved before is whole, but start "
                    "again with a lower learning_rate"
                )
        return values | {"images_per_second": self.tally.rate(self.config.batch)}

    def log(self) -> None:
        """One status line, and one line of `metrics.jsonl`, of all steps since the last."""
        values = self._values(self.accelerator.reduce(self.tally.means(), "mean"))
        self.tally.restart()
        self.say(status_line(self.trainer.images, self.config.images, values))
        self.accelerator.log(values, step=self.trainer.images)
        if self.accelerator.is_main_process:
            run_folder.append_metrics(
                self.out, {"images": self.trainer.images} | {k: round(v, 6) for k, v in values.items()}
            )

    def say(self, text: str) -> None:
        """Print on the main process."""
        self.accelerator.print(text, flush=True)

    def recipe(self) -> str:
        """The resolved config as YAML."""
        return yaml.safe_dump(self.config.to_dict(), sort_keys=False)

    def describe(self) -> None:
        """Say what is about to be trained, on what, and where."""
        trainer, state = self.trainer, self.accelerator.state
        self.say(self.recipe() + describe(trainer.faces, self.config))
        for sentence in trainer.faces.left_out:
            self.say(printable(sentence))
        if trainer.spares_nobody:
            self.say("nobody is held out, so the grids show faces that are trained on")
        bits = {"no": "float32"}.get(state.mixed_precision, state.mixed_precision)
        several = f", {state.num_processes} processes" if state.num_processes > 1 else ""
        origin = f", from {trainer.origin}" if trainer.origin else ""
        self.say(f"on {trainer.device} in {bits}{several}{origin}")
        if state.mixed_precision == "bf16" and not has_bf16(trainer.device):
            self.say("this device imitates bfloat16, slowly; with mixed_precision=auto it would be faster")

    def save(self) -> None:
        """The run's state, and what is made of it."""
        if self.tally.steps:
            self._values(self.tally.means())  # nothing that is not finite is ever saved
        if self.accelerator.is_main_process:
            self.trainer.save(run_folder.state_path(self.out, self.trainer.images))
        self.show()

    def show(self) -> None:
        """What follows a saved state: the oldest goes; the model so far, named after the folder; and the chart."""
        if not self.accelerator.is_main_process:
            return
        trainer = self.trainer
        run_folder.drop_old_states(self.out, self.config.keep_states)
        with trainer.ema_weights():
            pipeline = pipeline_of(trainer.networks, self.config)
            save_checkpoint(pipeline, run_folder.model_path(self.out), origin=trainer.origin)
        write_chart(run_folder.read_metrics(self.out), self.out / "losses.png")

    def tidy(self, state: State) -> None:
        """Put away what a stopped run left beyond the `state` that is gone on from."""
        if self.accelerator.is_main_process:
            run_folder.set_aside_after(self.out, state)
            run_folder.forget_metrics_after(self.out, self.trainer.images)


def describe(faces: FaceSet, config: TrainConfig) -> str:
    """One line about a data set: pictures, identities, pictures per emotion."""
    counts = torch.bincount(faces.emotion, minlength=len(config.emotions)).tolist()
    per_emotion = ", ".join(f"{name} {count}" for name, count in zip(config.emotions, counts, strict=True))
    mixed = len(faces.pictures) - len(faces)
    mixtures = f"; and {mixed:,} of {len(faces.looks) - len(config.emotions)} mixtures" if mixed else ""
    return f"{len(faces):,} pictures of {len(set(faces.identity)):,} identities: {per_emotion}{mixtures}"
