"""A run that is taught by the model that it starts from draws the mean of what that one draws of a face's two sides."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from ecgan_core.face.holes import region
from ecgan_core.files.checkpoint import load_checkpoint, save_checkpoint
from train.config import ConfigError, load_config
from train.data.faces import step_generator
from train.learning.chance import Chance
from train.learning.devices import make_accelerator
from train.learning.networks import build_networks, pipeline_of
from train.learning.teacher import Teacher
from train.learning.trainer import Trainer

TAUGHT = ["weights.mirrored=20", "resample=0.5", "learning_rate=5e-3", "decay_share=0", "images=1000"]
OTHERS = ("kl", "adversarial", "mutual_information", "appearance", "chroma", "perceptual")
NOTHING_ELSE = [f"weights.{loss}=0" for loss in OTHERS]


@pytest.fixture(scope="module")
def finished(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights, so that what it draws of a face and of its mirror image has nothing in common."""
    config = load_config(recipe)
    torch.manual_seed(3)
    networks = build_networks(config)
    for name in ("encoder", "generator"):
        for parameter in networks[name].parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    file = tmp_path_factory.mktemp("finished") / "finished.safetensors"
    save_checkpoint(pipeline_of(networks, config), file, dtype=torch.float32)
    return file


@pytest.fixture
def taught(recipe: Path, data: Path, finished: Path, tmp_path: Path) -> Trainer:
    asked_for_others = "resample=1"  # where there is a truth, this teacher is further from it than anybody
    config = load_config(recipe, [*TAUGHT, *NOTHING_ELSE, asked_for_others, f"start_from={finished}"])
    return Trainer(config, data, make_accelerator(config, tmp_path, cpu=True))


def test_a_teacher_draws_the_mirror_image_of_a_mirror_image(recipe: Path, finished: Path) -> None:
    teacher = Teacher(load_config(recipe, [f"start_from={finished}"]), load_checkpoint(finished).fingerprint)
    generator = torch.Generator().manual_seed(1)
    face, hole = torch.rand(3, 3, 64, 64, generator=generator) * 2 - 1, region("mouth", 3, 64, generator)
    asked = torch.eye(3)
    drawn, mirrored = teacher(face, hole, asked), teacher(face.flip(-1), hole.flip(-1), asked)
    assert torch.allclose(mirrored.flip(-1), drawn, atol=1e-5)

    pipeline = load_checkpoint(finished)
    alone = [
        pipeline.decode(pipeline.complete(f[None], h[None], emotion=name, seeds=[0], variation=0))
        for f, h, name in zip(face, hole, pipeline.emotion_set.names, strict=True)
    ]
    other = [
        pipeline.decode(pipeline.complete(f[None], h[None], emotion=name, seeds=[0], variation=0)).flip(-1)
        for f, h, name in zip(face.flip(-1), hole.flip(-1), pipeline.emotion_set.names, strict=True)
    ]
    mean = (torch.cat(alone) + torch.cat(other)) / 2
    assert (torch.cat(alone) - mean).abs().max() > 0.01, "this model draws both sides alike: nothing is tested"
    assert torch.allclose(drawn * hole, mean * hole, atol=1e-5)


@pytest.mark.slow
def test_a_run_draws_more_and_more_what_its_teacher_draws(taught: Trainer) -> None:
    def apart() -> float:
        chance = Chance(step_generator(0, -1))
        with torch.no_grad():
            terms, _ = taught.completion(taught.batch(chance), taught.judges, False)
        return terms["mirrored"].item()

    torch.manual_seed(4)
    for parameter in taught.generator.parameters():  # who has forgotten what the teacher knows
        torch.nn.init.normal_(parameter, std=0.1)
    before = apart()
    for _ in range(15):
        taught.train_step()
    assert apart() < 0.3 * before
    teacher = taught.judges.teacher
    assert teacher is not None
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    start = load_checkpoint(Path(taught.config.start_from))
    for mine, theirs in ((teacher.encoder, start.encoder), (teacher.generator, start.generator)):
        assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), theirs.parameters(), strict=True))


def test_a_teacher_is_asked_louder_where_there_is_no_truth(
    recipe: Path, data: Path, finished: Path, tmp_path: Path
) -> None:
    config = load_config(recipe, [*TAUGHT, f"start_from={finished}", "louder=1.5"])
    trainer = Trainer(config, data, make_accelerator(config, tmp_path, cpu=True))
    batch, heard = trainer.batch(trainer.chance()), []
    trainer.judges.teacher.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[2]))  # type: ignore[union-attr]
    trainer.completion(batch, trainer.judges, False)
    neutral = F.one_hot(torch.tensor(0), 3).float()
    unknown = batch.known == 0
    assert unknown.any()
    assert not unknown.all()
    assert torch.equal(heard[0][~unknown], batch.asked[~unknown])
    assert torch.allclose(heard[0][unknown], neutral + 1.5 * (batch.asked[unknown] - neutral))


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ([], "give start_from"),
        (["networks.image_size=32", "start_from={finished}"], "another size or other emotions"),
        (["start_from={finished}"], "another model now than the old.safetensors"),
    ],
)
def test_what_cannot_teach_is_named(recipe: Path, finished: Path, overrides: list[str], says: str) -> None:
    config = load_config(recipe, ["weights.mirrored=1", *(o.format(finished=finished) for o in overrides)])
    with pytest.raises(ConfigError, match=says):
        Teacher(config, "old.safetensors (0123456789ab)")


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["weights.mirrored=1", "mirror=false"], "expression with a side"),
        (["louder=1.4"], "only a teacher"),
    ],
)
def test_settings_that_would_teach_nothing_good_are_refused(recipe: Path, overrides: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(recipe, overrides)
