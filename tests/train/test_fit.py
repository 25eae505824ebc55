"""Real training steps: they lower the loss, reach every network, and go on exactly after a stop."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from ecgan_core.checkpoint import load_checkpoint
from train.cli import main
from train.config import load_config
from train.data import step_generator
from train.fit import STATE, Trainer


def fit(recipe, data, out, *overrides, resume=False):
    arguments = ["fit", str(recipe), "--data", str(data), "--out", str(out), "--cpu"]
    return main(arguments + ["--resume"] * resume + ["--set", *overrides] * bool(overrides))


@pytest.fixture(scope="module")
def finished(recipe, data, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "finished"
    assert fit(recipe, data, out) == 0
    return out


def test_a_run_leaves_what_it_promises(finished):
    names = {file.name for file in finished.iterdir()}
    assert {"config.yaml", "metrics.jsonl", STATE, "model.safetensors"} <= names
    assert {"grid-0000000.jpg", "grid-0000016.jpg", "grid-0000032.jpg"} <= names
    lines = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [16, 32]
    terms = {
        "kl",
        "appearance",
        "chroma",
        "perceptual",
        "mutual_information",
        "adversarial",
        "discriminator",
        "emotion",
    }
    assert terms <= lines[0].keys()


def test_the_exported_model_is_the_smoothed_one_and_completes(finished):
    pipeline = load_checkpoint(finished / "model.safetensors")
    assert tuple(pipeline.emotion_set.names) == ("neutral", "happy", "surprised")
    face, hole = torch.zeros(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    hole[..., 32:, 16:48] = 1
    assert pipeline.decode(pipeline.complete(face, hole, emotion="happy", seeds=[0])).isfinite().all()
    state = load_file(finished / STATE)
    weights = {k: v for k, v in load_file(finished / "model.safetensors").items() if k == "encoder.stem.bias"}
    live = state["network.encoder.stem.bias"]
    assert not torch.allclose(weights["encoder.stem.bias"].float(), live, atol=1e-6)
    torch.testing.assert_close(weights["encoder.stem.bias"].float(), state["ema.1"], atol=1e-3, rtol=1e-3)


def test_export_from_the_state_equals_the_runs_own(finished, tmp_path):
    card = tmp_path / "card.md"
    card.write_text("# drawn faces")
    assert main(["export", str(finished), str(tmp_path / "again.safetensors"), "--card", str(card)]) == 0
    ours, again = load_file(finished / "model.safetensors"), load_file(tmp_path / "again.safetensors")
    assert ours.keys() == again.keys()
    assert all(torch.equal(ours[key], again[key]) for key in ours)


def test_a_resumed_run_equals_the_uninterrupted_one(recipe, data, finished, tmp_path):
    out = tmp_path / "stopped"
    trainer = Trainer(load_config(recipe, ["log_every=8"]), data, out, cpu=True)
    out.mkdir()
    train_step, trainer.export = trainer.train_step, lambda path: None

    def stop_after_three_steps():  # the state was last saved after two
        if trainer.step == 3:
            raise KeyboardInterrupt
        return train_step()

    trainer.train_step = stop_after_three_steps
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert fit(recipe, data, out, "log_every=8", resume=True) == 0
    whole, resumed = load_file(finished / STATE), load_file(out / STATE)
    assert whole.keys() == resumed.keys()
    unequal = [key for key in whole if not torch.equal(whole[key], resumed[key])]
    assert unequal == []
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [8, 16, 24, 32], "the stopped run had written 24 too"


def test_resume_refuses_another_recipe_by_the_keys_that_differ(recipe, data, finished, capsys):
    assert fit(recipe, data, finished, "learning_rate=0.5", resume=True) == 1
    assert "learning_rate" in capsys.readouterr().err


def test_a_new_run_never_overwrites_an_old_one(recipe, data, finished, capsys):
    before = (finished / STATE).stat().st_mtime_ns
    assert fit(recipe, data, finished) == 1
    assert "--resume" in capsys.readouterr().err
    assert (finished / STATE).stat().st_mtime_ns == before


def test_a_few_steps_lower_the_loss(recipe, data, tmp_path):
    config = load_config(recipe, ["images=100000", "learning_rate=3e-3", "augment=false", "ema_decay=0.9"])
    trainer = Trainer(config, data, tmp_path, cpu=True)
    history = [trainer.train_step()["appearance"] for _ in range(40)]
    assert sum(history[-5:]) < 0.7 * sum(history[:5])


@pytest.mark.parametrize(
    "overrides",
    [[], ["networks.shared_trunk=true"], ["emotion_loss=l1"], ["code=inferred"], ["mixed_precision=bf16"]],
    ids=lambda o: o[0] if o else "default",
)
def test_gradients_reach_every_network(recipe, data, tmp_path, overrides):
    trainer = Trainer(load_config(recipe, overrides), data, tmp_path, cpu=True)
    before = {f"{n}.{k}": v.clone() for n, net in trainer.networks.items() for k, v in net.named_parameters()}
    for _ in range(3):  # zero-initialised second convolutions let gradients through from the second step on
        trainer.train_step()
    after = {f"{n}.{k}": v for n, net in trainer.networks.items() for k, v in net.named_parameters()}
    # While no patch has left the hinge margin, real and generated faces pull D's last bias up and down alike.
    exempt = ("features.", "discriminator.realness.bias")
    still = [key for key in before if torch.equal(before[key], after[key]) and not key.startswith(exempt)]
    assert still == []
    moved_features = [key for key in before if key.startswith("features.") and not torch.equal(before[key], after[key])]
    assert moved_features == [], "φ must stay as the warm-up left it"


def test_recorded_codes_follow_what_was_fed(recipe, data, tmp_path):
    trainer = Trainer(load_config(recipe, ["code=inferred", "images=1000"]), data, tmp_path, cpu=True)
    trainer.generator.emotion_codes.zero_()
    for _ in range(20):
        trainer.train_step()
    assert trainer.generator.emotion_codes.abs().sum(1).gt(0).any()


def test_an_inferred_code_is_fed_to_the_networks_but_q_learns_the_truth(recipe, data, tmp_path):
    trainer = Trainer(load_config(recipe, ["code=inferred", "resample=0.5"]), data, tmp_path, cpu=True)
    batch = trainer.batch(step_generator(0, 0))
    assert set(batch.label.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(batch.own, batch.label)
    asked_own = (batch.own == batch.wanted).all(dim=1)
    assert asked_own.any()
    assert not asked_own.all()
    one_hot = batch.wanted[~asked_own]
    assert torch.equal(one_hot, one_hot.round()), "another emotion is asked for plainly"


def test_the_command_line_trains_from_a_shell(recipe, data, tmp_path):
    command = [sys.executable, "-m", "train", "fit", str(recipe), "--set", "images=8", "warmup_images=64"]
    done = subprocess.run(
        [*command, "--data", str(data), "--out", str(tmp_path / "run"), "--cpu"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "36 pictures" not in done.stdout, "held-out identities must not be trained on"
    assert "min left" in done.stdout
