"""What a run measures of how faces deviate from what their visible part lets expect, and where it goes."""

import json
import shutil

import pytest
import torch

from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.files.tensors import write_tensors
from train.cli import main
from train.config import load_config
from train.data.faces import load_faces
from train.learning.deviations import record_deviations
from train.learning.networks import build_networks
from train.runs.run_folder import newest_state


def test_a_deviation_counts_in_standard_deviations_of_the_prior(recipe, data):
    config = load_config(recipe, ["networks.noise_rank=5"])
    encoder = build_networks(config)["encoder"]
    for head, mean, std in ((encoder.prior_head, 1.0, 2.0), (encoder.posterior_head, 4.0, 0.1)):
        torch.nn.init.zeros_(head.conv.weight)
        head.conv.bias.data = torch.tensor([mean, 2 * torch.tensor(std).log()]).repeat_interleave(12)
    record_deviations(encoder, load_faces(config, data), torch.Generator().manual_seed(0), at_once=2)
    torch.testing.assert_close(encoder.deviations, torch.full((5, 12, 8, 8), 1.5))


@pytest.mark.parametrize("rank", [0, 6])
def test_a_run_gives_its_model_the_noise_that_the_recipe_asks_for(recipe, data, tmp_path, rank):
    out = tmp_path / "run"
    rest = ["--data", str(data), "--out", str(out), "--cpu", "--set", f"networks.noise_rank={rank}"]
    assert main(["fit", str(recipe), *rest]) == 0
    encoder = load_checkpoint(out / "run.safetensors").encoder
    assert encoder.noise_shape == ((6,) if rank else (12, 8, 8))
    if rank:
        assert encoder.deviations.std(dim=0).gt(0).all(), "they are those of different faces"


def test_a_run_of_before_deviations_is_exported_with_independent_noise(recipe, data, tmp_path):
    rest = ["--data", str(data), "--out", str(tmp_path / "run"), "--cpu", "--set", "networks.noise_rank=0", "images=8"]
    assert main(["fit", str(recipe), *rest]) == 0
    state, _ = newest_state(tmp_path / "run")
    del state.meta["config"]["networks"]["noise_rank"]
    write_tensors(state.path, state.tensors, {"meta": json.dumps(state.meta)})
    assert main(["export", str(tmp_path / "run"), str(tmp_path / "out.safetensors")]) == 0
    assert load_checkpoint(tmp_path / "out.safetensors").encoder.noise_shape == (12, 8, 8)


def test_fine_tuning_takes_a_model_of_independent_noise(recipe, data, tmp_path):
    """Models of before had no other."""
    first, second = tmp_path / "first", tmp_path / "second"
    rest = ["--data", str(data), "--cpu", "--set", "images=8", "warmup_images=16"]
    assert main(["fit", str(recipe), "--out", str(first), *rest, "networks.noise_rank=0"]) == 0
    begun = shutil.copy(first / "first.safetensors", tmp_path / "begun.safetensors")
    assert main(["fit", str(recipe), "--out", str(second), "--from", str(begun), *rest, "networks.noise_rank=6"]) == 0
    assert load_checkpoint(second / "second.safetensors").encoder.deviations.any()
