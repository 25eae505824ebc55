"""Losses that look through a network which was taught on photographs: it answers as published, and they teach."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ecgan_core.files.checkpoint import load_checkpoint, save_checkpoint
from tools.weights.finder import picture
from tools.weights.imagenet import PORTRAIT, REFERENCE, SIDE, WHEEL
from train.cli import main
from train.config import load_config
from train.learning.devices import make_accelerator
from train.learning.judges.imagenet import WEIGHTS, WIDTHS, ImageNetFeatures
from train.learning.networks import build_networks, pipeline_of
from train.learning.objective import natural_terms, projected_loss
from train.learning.trainer import Trainer

BOTH = ["weights.imagenet=4", "weights.projected=0.5"]


def test_the_network_answers_as_the_published_one_does() -> None:
    reference = load_file(REFERENCE)
    portrait = 2 * torch.from_numpy(picture(PORTRAIT, SIDE)).permute(0, 3, 1, 2) - 1
    maps = ImageNetFeatures()(portrait)
    assert [m.shape[1] for m in maps] == list(WIDTHS)
    for i, m in enumerate(maps):
        expected = reference[f"map.{i}"].float()
        error = (m[:, ::4] - expected).abs().mean() / expected.std()
        assert error < 0.02, f"map {i}"  # what folding and float16 round away


def test_its_papers_name_what_it_is() -> None:
    assert WHEEL.sha256 in WEIGHTS.with_name("imagenet.md").read_text()
    assert "Apache License 2.0" in WEIGHTS.with_name("imagenet.md").read_text()


def trainer_of(recipe, data, out: Path, *settings: str) -> Trainer:
    config = load_config(recipe, [*BOTH, *settings])
    trainer = Trainer(config, data, make_accelerator(config, out, cpu=True))
    trainer.begin()
    return trainer


def test_it_stays_as_it_is_while_the_heads_on_it_learn(recipe, data, tmp_path) -> None:
    trainer = trainer_of(recipe, data, tmp_path)
    imagenet, projected = trainer.judges.imagenet, trainer.judges.projected
    before = [{k: v.clone() for k, v in network.state_dict().items()} for network in (imagenet, projected)]
    for _ in range(2):
        terms = trainer.train_step()
    assert {"imagenet", "projected", "projector"} <= set(terms)
    assert all(torch.equal(value, before[0][key]) for key, value in imagenet.state_dict().items())
    learnt = {key for key, value in projected.state_dict().items() if not torch.equal(value, before[1][key])}
    assert {f"heads.{i}.realness.parametrizations.weight.original" for i in range(len(WIDTHS))} <= learnt
    assert not any(key.endswith("mixture") for key in learnt)


def test_a_recipe_without_them_has_no_such_networks(recipe, data, tmp_path) -> None:
    trainer = trainer_of(recipe, data, tmp_path, "weights.imagenet=0", "weights.projected=0")
    assert trainer.judges.imagenet is None
    assert "projected" not in trainer.networks
    assert not {"imagenet", "projected", "projector"} & set(trainer.train_step())


def test_the_heads_learn_to_tell_truths_from_noise(recipe, data, tmp_path) -> None:
    trainer = trainer_of(recipe, data, tmp_path)
    trainer._let_discriminators_learn(True)
    optimizer, loss = trainer.optimizers["discriminator"], []
    for _ in range(12):
        batch = trainer.batch(trainer.chance())
        noise = torch.where(batch.hole > 0, torch.randn_like(batch.face).clamp(-1, 1), batch.face)
        _, maps = natural_terms(trainer.judges, noise, batch)
        loss.append(projected_loss(trainer.judges.projected, batch, maps))
        optimizer.zero_grad()
        loss[-1].backward()
        optimizer.step()
        trainer.step += 1
    assert loss[-1] < 0.7 * loss[0]


def test_a_face_without_a_truth_is_not_judged(recipe, data, tmp_path) -> None:
    trainer = trainer_of(recipe, data, tmp_path)
    batch = trainer.batch(trainer.chance())
    for told in (batch.known, batch.natural):
        told[:] = 1
        told[1] = 0
    guessed = (batch.face * 0.5).requires_grad_()
    terms, _ = natural_terms(trainer.judges, guessed, batch)
    (terms["imagenet"] + terms["projected"]).backward()
    heard = guessed.grad.flatten(1).norm(dim=1)
    assert heard[1] == 0
    assert heard[0] > 0


def test_an_expression_that_photographs_wear_is_judged_on_faces_that_do_not_wear_it(recipe, data, tmp_path) -> None:
    settings = ["photographed=[neutral,happy]", "resample=1", "batch=64"]
    trainer = trainer_of(recipe, data, tmp_path, *settings)
    batch = trainer.batch(trainer.chance())
    unknown, worn = batch.known == 0, batch.wanted[:, :2].sum(dim=1) == 1
    assert (unknown & worn).sum() > 32, "half are asked for one of these, others by chance"
    assert (unknown & ~worn).any()
    guessed = (batch.face * 0.5).requires_grad_()
    terms, _ = natural_terms(trainer.judges, guessed, batch)
    terms["imagenet"].backward(retain_graph=True)
    assert not guessed.grad[unknown].any()
    terms["projected"].backward()
    heard = guessed.grad.flatten(1).norm(dim=1) > 0
    assert heard[worn].all()
    assert not heard[unknown & ~worn].any()


@pytest.mark.slow
@pytest.mark.parametrize(
    "more", [["weights.mirrored=20"], ["networks.grown=1", "detail=32", "networks.widths=[4,8,16,16]"]]
)
def test_a_run_with_them_goes_on_exactly(recipe, data, tmp_path, more) -> None:
    if "detail=32" in more:
        small = load_config(recipe, ["networks.image_size=32", "networks.widths=[8,16,16]"])
        save_checkpoint(pipeline_of(build_networks(small), small), tmp_path / "small.safetensors")
        more = [*more, f"start_from={tmp_path / 'small.safetensors'}"]
    command = ["fit", str(recipe), "--data", str(data), "--cpu", "--set", *BOTH, "save_every=16", "images=32", *more]
    assert main([*command, "--out", str(tmp_path / "whole")]) == 0
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    (tmp_path / "cut" / "state-000000032.safetensors").unlink()
    assert main([*command, "--out", str(tmp_path / "cut"), "--resume"]) == 0
    whole, cut = (load_checkpoint(tmp_path / run / f"{run}.safetensors") for run in ("whole", "cut"))
    for key, value in whole.generator.state_dict().items():
        assert torch.equal(cut.generator.state_dict()[key], value), key
