"""`recipes/paper.yaml`: what the paper prints is what is trained."""

from __future__ import annotations

import json
import math

import pytest
import torch

from ecgan_core.files.checkpoint import load_checkpoint
from train.cli import main
from train.config import load_config
from train.learning.devices import make_accelerator
from train.learning.trainer import Trainer

SMALL = (
    "emotions=[neutral, happy, surprised]", "data=[{path: faces, held_out: 0.25}]", "networks.widths=[8, 8, 16, 16]",
    "networks.latent_channels=12", "networks.discriminator_widths=[8, 16, 16]",
    "networks.feature_widths=[8, 8, 16, 16]", "batch=8", "images=32", "warmup_images=128",
    "log_every=16", "grid_every=16", "save_every=16",
)  # fmt: skip


@pytest.fixture
def trainer(data, tmp_path):
    config = load_config("recipes/paper.yaml", list(SMALL))
    return Trainer(config, data, make_accelerator(config, tmp_path, cpu=True))


def test_q_is_a_last_layer_on_the_trunk_of_d(trainer):
    discriminator = trainer.networks["discriminator"]
    own = {name.split(".")[0] for name, _ in discriminator.named_parameters()}
    assert own == {"trunk", "realness", "emotion_head"}
    logits = discriminator.emotion_logits(torch.zeros(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)).sum()
    logits.backward()
    assert all(parameter.grad is not None for parameter in discriminator.trunk.parameters())


def test_c_is_what_q_infers_on_both_paths(trainer):
    batch = trainer.batch(trainer.chance())
    discriminator = trainer.networks["discriminator"].eval()
    with torch.no_grad():
        inferred = discriminator.emotion_logits(batch.face, torch.zeros_like(batch.hole)).softmax(1)
    torch.testing.assert_close(batch.own, inferred)
    assert torch.equal(batch.wanted, batch.own)


def test_the_generative_path_is_compared_where_something_was_observed(trainer):
    batch = trainer.batch(trainer.chance())
    assert torch.equal(trainer.completion._weight_of_guess(batch), 1 - batch.hole)


def test_the_mutual_information_is_read_by_q_alone(trainer):
    """φ's own reading is made useless; the loss never asks for it."""
    with torch.no_grad():
        trainer.networks["features"].emotion_head.linear.weight.fill_(math.nan)
    trainer.networks["features"].eval()
    for _ in range(2):
        assert all(term.isfinite() for term in trainer.train_step().values())


def test_it_trains_and_its_model_completes(data, tmp_path):
    out = tmp_path / "paper"
    arguments = ["fit", "recipes/paper.yaml", "--data", str(data), "--out", str(out), "--cpu", "--set", *SMALL]
    assert main(arguments) == 0
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [16, 32]
    assert all(math.isfinite(value) for line in lines for value in line.values())
    assert 0 < lines[-1]["emotion"] <= 2, "an L1 of two distributions"
    pipeline = load_checkpoint(out / "paper.safetensors")
    face, hole = torch.zeros(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    hole[..., 32:, 16:48] = 1
    assert pipeline.decode(pipeline.complete(face, hole, emotion="happy", seeds=[0])).isfinite().all()
