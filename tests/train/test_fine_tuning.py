"""Fine-tuning: E and G begin as a finished checkpoint, the rest is new."""

import shutil

import pytest
import torch

from ecgan_core.files.checkpoint import inspect_checkpoint, load_checkpoint, save_checkpoint
from train.cli import main
from train.config import load_config
from train.export import export
from train.learning.devices import make_accelerator
from train.learning.networks import build_networks, pipeline_of
from train.learning.trainer import Trainer
from train.runs.run_folder import newest_state
from train.runs.state import StateError

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


def test_a_fine_tuned_model_can_keep_a_share_of_what_it_came_from(checkpoint, recipe, data, tmp_path, capsys):
    run = tmp_path / "tuned"
    short = ["--set", "warmup_images=32", "images=16", "learning_rate=0.01"]
    assert (
        main(["fit", str(recipe), "--data", str(data), "--out", str(run), "--cpu", "--from", str(checkpoint), *short])
        == 0
    )

    def exported(name: str, *keep: str) -> dict[str, torch.Tensor]:
        assert main(["export", str(run), str(tmp_path / name), *keep]) == 0
        pipeline = load_checkpoint(tmp_path / name)
        return dict(pipeline.encoder.named_parameters()) | dict(pipeline.generator.named_parameters())

    tuned, mean, before = (exported(f"{share}.safetensors", "--keep", share) for share in ("0", "0.25", "1"))
    moved = 0.0
    for name, weight in mean.items():
        torch.testing.assert_close(weight, tuned[name].lerp(before[name], 0.25), atol=2e-3, rtol=2e-3)
        moved = max(moved, (tuned[name] - before[name]).abs().max().item())
    assert moved > 0.01, "or there would be nothing to tell them apart by"
    first = load_checkpoint(checkpoint).generator.named_parameters()
    for name, weight in first:
        torch.testing.assert_close(before[name], weight, atol=2e-3, rtol=2e-3)

    capsys.readouterr()
    save_checkpoint(load_checkpoint(tmp_path / "0.safetensors"), checkpoint.parent / "other.safetensors")
    for model, said in (
        ("other.safetensors", "is another model by now"),
        ("gone.safetensors", "is not there any more"),
    ):
        with pytest.raises(StateError, match=said):
            export(run, tmp_path / "none.safetensors", keep=0.5, start=checkpoint.parent / model)
    assert not (tmp_path / "none.safetensors").exists()


@pytest.mark.slow
def test_what_cannot_be_kept_is_said(checkpoint, recipe, data, two, tmp_path, capsys):
    short = ["--cpu", "--set", "warmup_images=32", "images=16"]
    assert main(["fit", str(recipe), "--data", str(data), "--out", str(tmp_path / "new"), *short]) == 0
    tuned = ["--data", str(two), "--out", str(tmp_path / "tuned"), "--from", str(checkpoint)]
    assert main(["fit", str(recipe), *tuned, *short, *TWO]) == 0
    capsys.readouterr()
    for run, said in (("new", "went on from no model"), ("tuned", "has other emotions than")):
        assert main(["export", str(tmp_path / run), str(tmp_path / "none.safetensors"), "--keep", "0.5"]) == 1
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["export", str(tmp_path / "new"), str(tmp_path / "none.safetensors"), "--keep", "2"])
    assert "'2' is not a share from 0 to 1" in capsys.readouterr().err


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
