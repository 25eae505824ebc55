"""A run that is its own teacher comes to draw the same of a face and of its mirror image."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ecgan_core.emotions.codes import replicate
from ecgan_core.face.holes import region
from train.config import ConfigError, load_config
from train.learning.devices import make_accelerator
from train.learning.judges.teacher import Teacher
from train.learning.trainer import Trainer

TAUGHT = ["weights.mirrored=20", "resample=0.5", "learning_rate=5e-3", "decay_share=0", "images=1000"]
OTHERS = ("kl", "adversarial", "mutual_information", "appearance", "chroma", "perceptual")
NOTHING_ELSE = [f"weights.{loss}=0" for loss in OTHERS]


@pytest.fixture
def taught(recipe: Path, data: Path, tmp_path: Path) -> Trainer:
    """A run of random weights, so that what it draws of a face and of its mirror image has nothing in common."""
    config = load_config(recipe, [*TAUGHT, *NOTHING_ELSE, "resample=1"])
    trainer = Trainer(config, data, make_accelerator(config, tmp_path, cpu=True))
    torch.manual_seed(3)
    for parameter in trainer.smoothed:
        torch.nn.init.normal_(parameter, std=0.1)
    return trainer


def drawn(trainer: Trainer, face: Tensor, hole: Tensor, asked: Tensor) -> Tensor:
    """What a run draws likeliest."""
    visible = face * (1 - hole)
    with torch.no_grad():
        encoded = trainer.encoder(visible, hole)
        code = replicate(asked, trainer.config.networks.latent_channels)
        picture: Tensor = trainer.generator(encoded.prior.mean, code, encoded.features, visible, hole)[-1]
    return picture


def some_faces() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    faces = torch.rand(3, 3, 64, 64, generator=generator) * 2 - 1
    return faces, region("mouth", 3, 64, generator), torch.eye(3)


def test_a_teacher_draws_the_mean_of_both_sides(taught: Trainer) -> None:
    face, hole, asked = some_faces()
    teacher = Teacher(taught.encoder, taught.generator)
    due, mirrored = teacher(face, hole, asked), teacher(face.flip(-1), hole.flip(-1), asked)
    assert torch.allclose(mirrored.flip(-1), due, atol=1e-5)
    one, other = drawn(taught, face, hole, asked), drawn(taught, face.flip(-1), hole.flip(-1), asked).flip(-1)
    assert (one - other).abs().max() > 0.02, "this model draws both sides alike: nothing is tested"
    assert torch.allclose(due, (one + other) / 2, atol=1e-5)


@pytest.mark.slow
def test_a_run_comes_to_draw_both_sides_alike(taught: Trainer) -> None:
    face, hole, asked = some_faces()

    def apart() -> float:
        one, other = drawn(taught, face, hole, asked), drawn(taught, face.flip(-1), hole.flip(-1), asked).flip(-1)
        return ((one - other).abs() * hole).mean().item()

    before = apart()
    for _ in range(10):
        taught.train_step()
    assert apart() < 0.8 * before
    teacher = taught.judges.teacher
    assert teacher is not None
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    with taught.ema_weights():
        assert all(torch.equal(a, b) for a, b in zip(teacher.parameters(), taught.smoothed, strict=True))


def test_a_teacher_is_asked_of_the_likeliest_faces_and_louder_where_there_is_no_truth(
    recipe: Path, data: Path, tmp_path: Path
) -> None:
    config = load_config(recipe, [*TAUGHT, "louder=1.5"])
    trainer = Trainer(config, data, make_accelerator(config, tmp_path, cpu=True))
    teacher, heard = trainer.judges.teacher, []
    assert teacher is not None
    teacher.register_forward_pre_hook(lambda _, inputs: heard.append(inputs))
    batch = trainer.batch(trainer.chance())
    trainer.completion(batch, trainer.judges, False)
    [[faces, _, asked]] = heard
    who = [next(i for i, face in enumerate(batch.face) if torch.equal(face, one)) for one in faces]
    unknown = batch.known[who] == 0
    assert 0 < unknown.sum() < len(who) < len(batch.face)
    neutral = F.one_hot(torch.tensor(0), 3).float()
    assert torch.equal(asked[~unknown], batch.asked[who][~unknown])
    assert torch.allclose(asked[unknown], neutral + 1.5 * (batch.asked[who][unknown] - neutral))


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["weights.mirrored=1", "mirror=false"], "expression with a side"),
        (["louder=1.4"], "only a teacher"),
        (["photographed=[happy]"], "two or more"),
        (["photographed=[happy,furious]"], "'furious'"),
    ],
)
def test_settings_that_would_teach_nothing_good_are_refused(recipe: Path, overrides: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(recipe, overrides)
