"""Fine-tuning: E and G begin as a finished checkpoint, the rest is new."""

import shutil

import pytest
import torch

from ecgan_core.files.checkpoint import inspect_checkpoint, load_checkpoint, save_checkpoint
from train.cli import main
from train.config import load_config
from train.learning.devices import make_accelerator
from train.learning.networks import build_networks, pipeline_of
from train.learning.trainer import Trainer
from train.runs.run_folder import newest_state

TWO = ["emotions=[plain, grin]", "neutral=plain", "data=[{path: two, held_out: 0.25}]"]


@pytest.fixture(scope="module")
def checkpoint(recipe, tmp_path_factory):
    """A model of the recipe's three emotions."""
    torch.manual_seed(5)
    config = load_config(recipe)
    file = tmp_path_factory.mktemp("models") / "three.safetensors"
    save_checkpoint(pipeline_of(build_networks(config), config), file, dtype=torch.float32)
    return file


@pytest.fixture(scope="module")
def two(data, tmp_path_factory):
    """A data set of two emotions that the checkpoint does not know."""
    root = tmp_path_factory.mktemp("two")
    for theirs, ours in (("neutral", "plain"), ("happy", "grin")):
        shutil.copytree(data / "faces" / theirs, root / "two" / ours)
    return root


def trainer_from(checkpoint, recipe, root, out, *overrides):
    config = load_config(recipe, [f"start_from={checkpoint}", *overrides])
    return Trainer(config, root, make_accelerator(config, out, cpu=True))


def test_e_and_g_begin_as_the_checkpoint_with_other_emotions(checkpoint, recipe, two, tmp_path):
    trainer, finished = trainer_from(checkpoint, recipe, two, tmp_path, *TWO), load_checkpoint(checkpoint)
    for ours, theirs in ((trainer.encoder, finished.encoder), (trainer.generator, finished.generator)):
        for key, value in theirs.state_dict().items():
            if key != "emotion_codes":
                assert torch.equal(ours.state_dict()[key], value), key
    assert torch.equal(trainer.ema.shadow_params[0], next(finished.encoder.parameters()))
    assert trainer.generator.emotion_codes.shape == (2, 12)
    assert trainer.generator.emotion_codes.unique(dim=0).shape == (2, 12), "each emotion has a code of its own"
    assert trainer.discriminator.emotion_head.linear.out_features == 2


def test_q_and_d_are_new_even_for_the_same_emotions(checkpoint, recipe, data, tmp_path):
    trainer, finished = trainer_from(checkpoint, recipe, data, tmp_path), load_checkpoint(checkpoint)
    assert torch.equal(trainer.generator.emotion_codes, finished.generator.emotion_codes)
    ours, theirs = (d.emotion_head.linear.weight for d in (trainer.discriminator, finished.discriminator))
    assert not torch.equal(ours, theirs)


def test_a_fine_tuned_model_says_what_it_came_from(checkpoint, recipe, two, tmp_path, capsys):
    out = tmp_path / "tuned"
    arguments = ["fit", str(recipe), "--data", str(two), "--out", str(out), "--cpu"]
    settings = ["--set", *TWO, "warmup_images=32", "images=16"]
    assert main([*arguments, "--from", str(checkpoint), *settings]) == 0
    fingerprint = load_checkpoint(checkpoint).fingerprint
    assert f"from three.safetensors ({fingerprint})" in capsys.readouterr().out
    info = inspect_checkpoint(out / "tuned.safetensors")
    assert info.emotions == ("plain", "grin")
    assert info.origin == f"three.safetensors ({fingerprint})"
    assert main(["export", str(out), str(tmp_path / "again.safetensors")]) == 0
    assert inspect_checkpoint(tmp_path / "again.safetensors").origin == info.origin
    assert main([*arguments, "--resume", *settings]) == 0, "--from need not be said again"
    assert newest_state(out)[0].meta["config"]["start_from"] == str(checkpoint)


def test_a_checkpoint_of_another_size_is_refused_with_what_to_say(checkpoint, recipe, two, tmp_path, capsys):
    arguments = ["fit", str(recipe), "--data", str(two), "--out", str(tmp_path / "run"), "--cpu"]
    other = ["networks.image_size=128", "networks.widths=[8,8,16]"]
    assert main([*arguments, "--from", str(checkpoint), "--set", *TWO, *other]) == 1
    error = capsys.readouterr().err
    assert "--set networks.image_size=64 networks.widths=[8,8,16,16]" in error
    assert "latent_channels" not in error


def test_what_is_no_checkpoint_is_refused(recipe, two, tmp_path, capsys):
    arguments = ["fit", str(recipe), "--data", str(two), "--out", str(tmp_path / "run"), "--cpu"]
    assert main([*arguments, "--from", str(recipe), "--set", *TWO]) == 1
    assert "is not an EC-GAN checkpoint" in capsys.readouterr().err
