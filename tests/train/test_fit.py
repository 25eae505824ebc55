"""Real training steps: they lower the loss, reach every network, and leave what a run promises."""

import dataclasses
import json
import subprocess
import sys

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ecgan_core.files.checkpoint import inspect_checkpoint, load_checkpoint
from train import fit as fit_module
from train.cli import main
from train.config import ConfigError, Source, load_config
from train.data.faces import draw
from train.learning.devices import make_accelerator
from train.learning.objective import CompletionObjective
from train.learning.trainer import Trainer
from train.runs.run_folder import states_of


def fit(recipe, data, out, *overrides, more=()):
    arguments = ["fit", str(recipe), "--data", str(data), "--out", str(out), "--cpu", *more]
    return main(arguments + ["--set", *overrides] * bool(overrides))


def trainer_of(config, data, out):
    return Trainer(config, data, make_accelerator(config, out, cpu=True))


@pytest.fixture(scope="module")
def finished(recipe, data, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "finished"
    assert fit(recipe, data, out) == 0
    return out


def test_one_run_after_another_may_have_another_precision(recipe, tmp_path):
    for asked in ("no", "bf16", "no"):
        config = load_config(recipe, [f"mixed_precision={asked}"])
        assert make_accelerator(config, tmp_path, cpu=True).mixed_precision == asked


# A run and what it leaves ---------------------------------------------------------------------------------------------


def test_a_run_leaves_what_it_promises(finished):
    names = {file.name for file in finished.iterdir()}
    assert {"config.yaml", "metrics.jsonl", "losses.png", "finished.safetensors"} <= names
    assert {"grid-0000000.jpg", "grid-0000016.jpg", "grid-0000032.jpg"} <= names
    assert {"state-000000016.safetensors", "state-000000032.safetensors"} <= names
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


def test_the_chart_shows_curves(finished):
    with Image.open(finished / "losses.png") as chart:
        assert chart.width >= 900
        colours = chart.convert("RGB").getcolors(maxcolors=2**20)
    curve = sum(count for count, (r, g, b) in colours if b > r + 60)
    assert curve > 50


def test_the_exported_model_is_the_smoothed_one_and_completes(finished):
    model = finished / "finished.safetensors"
    pipeline = load_checkpoint(model)
    assert tuple(pipeline.emotion_set.names) == ("neutral", "happy", "surprised")
    face, hole = torch.zeros(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    hole[..., 32:, 16:48] = 1
    assert pipeline.decode(pipeline.complete(face, hole, emotion="happy", seeds=[0])).isfinite().all()
    state, bias = load_file(states_of(finished)[0]), load_file(model)["encoder.stem.bias"].float()
    assert not torch.allclose(bias, state["network.encoder.stem.bias"], atol=1e-6)
    torch.testing.assert_close(bias, state["ema.1"], atol=1e-3, rtol=1e-3)
    assert inspect_checkpoint(model).origin == ""


def test_export_from_the_state_equals_the_runs_own(finished, tmp_path):
    card = tmp_path / "card.md"
    card.write_text("# drawn faces")
    assert main(["export", str(finished), str(tmp_path / "again.safetensors"), "--card", str(card)]) == 0
    ours, again = load_file(finished / "finished.safetensors"), load_file(tmp_path / "again.safetensors")
    assert ours.keys() == again.keys()
    assert all(torch.equal(ours[key], again[key]) for key in ours)


def test_speed_and_time_left_are_said_before_the_first_log(recipe, data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fit_module, "FIRST_WORD", 0.0)
    assert fit(recipe, data, tmp_path / "run", "log_every=1000", "warmup_images=32", "images=24") == 0
    said = capsys.readouterr().out
    early = [line for line in said.splitlines() if line.strip().startswith("8 of 24 images")]
    assert len(early) == 1
    assert "/s" in early[0]
    assert "s left" in early[0]
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == [24], "the early line is for the reader alone"


def test_losses_that_are_not_finite_stop_a_run_and_are_never_saved(recipe, data, tmp_path, capsys):
    out = tmp_path / "run"
    assert fit(recipe, data, out, "learning_rate=1e30", "warmup_images=32", "log_every=1000") == 1
    error = capsys.readouterr().err
    assert "start again with a lower learning_rate" in error
    assert "Traceback" not in error
    for path in states_of(out):
        assert all(tensor.isfinite().all() for tensor in load_file(path).values())


def test_tensorboard_that_is_missing_is_said_before_anything_else(recipe, data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("train.learning.devices.is_tensorboard_available", lambda: False)
    assert fit(recipe, data, tmp_path / "run", more=["--tensorboard"]) == 1
    assert "pip install tensorboard" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_command_line_trains_from_a_shell(recipe, data, tmp_path):
    command = [sys.executable, "-m", "train", "fit", str(recipe), "--set", "images=8", "warmup_images=64"]
    done = subprocess.run(
        [*command, "--data", str(data), "--out", str(tmp_path / "run"), "--cpu"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "36 pictures" not in done.stdout, "held-out identities must not be trained on"
    assert " left  " in done.stdout


# Steps ----------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_few_steps_lower_the_loss(recipe, data, tmp_path):
    config = load_config(recipe, ["images=100000", "learning_rate=3e-3", "augment=false", "ema_decay=0.9"])
    trainer = trainer_of(config, data, tmp_path)
    history = [trainer.train_step()["appearance"].item() for _ in range(40)]
    assert sum(history[-5:]) < 0.7 * sum(history[:5])


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["networks.shared_trunk=true"],
        ["emotion_loss=l1"],
        ["code=inferred"],
        ["mixed_precision=bf16"],
        ["weights.diversity=0.5", "weights.palette=20", "weights.shades=5", "beyond=1.5"],
    ],
    ids=lambda o: o[0] if o else "default",
)
def test_gradients_reach_every_network(recipe, data, tmp_path, overrides):
    trainer = trainer_of(load_config(recipe, overrides), data, tmp_path)
    trainer.features.eval().requires_grad_(False)
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


@pytest.mark.slow
def test_recorded_codes_follow_what_was_fed(recipe, data, tmp_path):
    trainer = trainer_of(load_config(recipe, ["code=inferred", "images=1000"]), data, tmp_path)
    trainer.generator.emotion_codes.zero_()
    for _ in range(20):
        trainer.train_step()
    assert trainer.generator.emotion_codes.abs().sum(1).gt(0).any()


def test_an_inferred_code_is_fed_to_the_networks_but_q_learns_the_truth(recipe, data, tmp_path):
    trainer = trainer_of(load_config(recipe, ["code=inferred", "resample=0.5"]), data, tmp_path)
    batch = trainer.batch(trainer.chance())
    assert set(batch.label.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(batch.own, batch.label)
    asked_own = (batch.own == batch.wanted).all(dim=1)
    assert asked_own.any()
    assert not asked_own.all()
    one_hot = batch.wanted[~asked_own]
    assert torch.equal(one_hot, one_hot.round()), "another emotion is asked for plainly"


def test_another_emotion_has_a_truth_where_people_hold_still(recipe, data, tmp_path):
    """The truth is the same person's picture with the wanted emotion, inside the hole; elsewhere it is the input."""
    config = load_config(recipe, ["resample=1", "augment=false"])
    unpaired = trainer_of(config, data, tmp_path)
    batch = unpaired.batch(unpaired.chance())
    asked_own = (batch.label == batch.wanted).all(dim=1)
    assert torch.equal(batch.known > 0, asked_own)
    assert torch.equal(batch.truth, batch.face)

    config = dataclasses.replace(config, data=tuple(dataclasses.replace(s, paired=True) for s in config.data))
    trainer = trainer_of(config, data, tmp_path)
    batch, faces = trainer.batch(trainer.chance()), trainer.faces
    for face, truth, hole, known, wanted in zip(
        batch.face, batch.truth, batch.hole, batch.known, batch.wanted, strict=True
    ):
        [here] = [i for i in range(len(faces)) if torch.equal(faces.pick(torch.tensor([i]))[0], face)]
        [there] = [
            i
            for i in range(len(faces))
            if faces.identity[i] == faces.identity[here] and faces.emotion[i] == wanted.argmax()
        ]
        assert known == 1
        assert torch.equal(truth, torch.where(hole > 0, faces.pick(torch.tensor([there]))[0], face))
    assert not torch.equal(batch.truth, batch.face)


def test_a_source_may_have_holes_of_its_own(recipe, data, tmp_path):
    config = load_config(recipe, ["augment=false", "batch=32"])
    seen = [dataclasses.replace(source, holes={"eyes": 1}) for source in config.data]
    config = dataclasses.replace(config, holes={"mouth": 1}, data=(*config.data, *seen))
    trainer = trainer_of(config, data, tmp_path)
    index = draw(trainer.faces, config.batch, trainer.chance().generator)
    rows = trainer.batch(trainer.chance()).hole.mean(dim=(1, 3))
    below = (rows * torch.linspace(-1, 1, rows.shape[1])).sum(dim=1)
    assert torch.equal(below < 0, trainer.faces.source[index] >= len(seen))
    assert (below < 0).any()
    assert (below > 0).any()
    with pytest.raises(ConfigError, match=r"the holes of 'faces': no frequency may be below 0"):
        Source("faces", holes={"mouth": -1})


def test_what_an_expression_moves_can_count_more(recipe, data, tmp_path):
    """Where the truth is the face itself nothing changes; where it is not, only the pixels of the hole that differ."""
    weights = {}
    for moved_weight in (0, 3):
        config = load_config(recipe, ["resample=0.5", "augment=false", f"moved_weight={moved_weight}"])
        config = dataclasses.replace(config, data=tuple(dataclasses.replace(s, paired=True) for s in config.data))
        trainer = trainer_of(config, data, tmp_path)
        batch = trainer.batch(trainer.chance())
        weights[moved_weight] = CompletionObjective(trainer.encoder, trainer.generator, config)._weight_of_guess(batch)
    moved = (batch.truth - batch.face).abs().mean(dim=1, keepdim=True)
    assert moved.flatten(1).amax(1).gt(0).any()
    assert moved.flatten(1).amax(1).eq(0).any()
    assert torch.equal(weights[0], torch.ones_like(moved))
    assert torch.allclose(weights[3], 1 + 3 * moved)


def test_emotions_are_asked_for_beyond_their_full_strength_where_nothing_says_what_that_is(recipe, data, tmp_path):
    """Half of the faces that wear it, whose truth counts by half then; never neutral."""
    config = load_config(recipe, ["resample=0.5", "batch=64", "beyond=1.5"])
    trainer = trainer_of(config, data, tmp_path)
    batch = trainer.batch(trainer.chance())
    neutral = torch.tensor([1.0, 0.0, 0.0])
    strength = (batch.asked - neutral).norm(dim=1) / (batch.wanted - neutral).norm(dim=1)  # nan: of neutral
    stronger = strength > 1.001
    assert torch.equal(batch.asked[~stronger], batch.wanted[~stronger])
    assert 1.5 < strength[stronger].max() <= 2.5
    own = (batch.wanted == batch.label).all(dim=1)
    assert not stronger[~own].any()
    assert 0.3 < stronger[own & (strength >= 0.9)].float().mean() < 0.7
    assert set(batch.known[own & stronger].tolist()) == {0.5}
    assert set(batch.known[own & ~stronger].tolist()) == {1.0}
    assert set(batch.known[~own].tolist()) == {0.0}, "nobody here is paired"
    plain = trainer_of(dataclasses.replace(config, beyond=0.0), data, tmp_path)
    batch = plain.batch(plain.chance())
    assert torch.equal(batch.asked, batch.wanted)


def test_yamls_bare_no_means_no(recipe, data, tmp_path):
    path = tmp_path / "plain.yaml"
    path.write_text(recipe.read_text() + "mixed_precision: no\n")
    assert load_config(path).mixed_precision == "no"
    assert load_config(path, ["mixed_precision=no"]).mixed_precision == "no"
