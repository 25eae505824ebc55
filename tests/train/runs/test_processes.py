"""Several processes train as one does."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from train.cli import main
from train.learning.chance import Chance
from train.runs.run_folder import states_of

# Dropout is the one thing that each process draws for itself, so it is left out here.
WITHOUT_DROPOUT = """
import sys
import torch

torch.nn.Dropout.forward = lambda self, x: x
torch.set_num_threads(1)
from train.cli import main

sys.exit(main(sys.argv[1:]))
"""
# In float32: bfloat16 rounds one batch of 8 and two of 4 so differently that six steps tell them apart.
SETTINGS = ["--set", "mixed_precision=no", "log_every=8", "images=32", "warmup_images=32", "code=inferred",
            "keep_states=9"]  # fmt: skip


@pytest.fixture(scope="module")
def alone_and_together(recipe, data, tmp_path_factory):
    """The folders of the same run by one process and by two, and what the two said."""
    root = tmp_path_factory.mktemp("runs")
    script = root / "fit.py"
    script.write_text(WITHOUT_DROPOUT)
    arguments = ["fit", str(recipe), "--data", str(data), "--cpu", *SETTINGS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Dropout, "forward", lambda self, x: x)
        assert main([*arguments, "--out", str(root / "alone")]) == 0
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launcher, str(script), *arguments, "--out", str(root / "together")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return root / "alone", root / "together", done.stdout


def test_two_processes_get_the_losses_of_one(alone_and_together):
    alone, together, _ = alone_and_together
    one, two = (
        [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()] for run in (alone, together)
    )
    assert [line["images"] for line in one] == [line["images"] for line in two] == [8, 16, 24, 32]
    for a, b in zip(one, two, strict=True):
        for name in a.keys() - {"images_per_second"}:
            # While no patch has left the hinge margin, D's last bias has no gradient: rounding moves it.
            loose = 0.01 if name == "adversarial" else 1e-4
            assert a[name] == pytest.approx(b[name], rel=0.005, abs=loose), (a["images"], name)


def test_two_processes_get_the_weights_of_one(alone_and_together):
    alone, together, _ = alone_and_together
    one, two = (load_file(states_of(run)[0]) for run in (alone, together))
    assert one.keys() == two.keys()
    begun = load_file(states_of(alone)[-1])
    assert all(torch.equal(begun[key], one[key]) for key in one if key.startswith("network.features."))
    parts = ("network.encoder", "network.generator", "network.generator.emotion_codes", "network.discriminator.trunk",
             "network.discriminator.emotion_trunk", "network.discriminator.emotion_head", "ema")  # fmt: skip
    for part in parts:
        keys = [key for key in one if key.startswith(f"{part}") and one[key].is_floating_point()]
        a, b, c = (torch.cat([state[key].flatten() for key in keys]) for state in (one, two, begun))
        assert torch.dist(a, b) < 0.01 * torch.dist(a, c), part


def test_only_the_first_process_speaks_and_writes(alone_and_together):
    alone, together, said = alone_and_together
    assert "2 processes" in said
    assert said.count("Q names the emotion") == 1
    names = [{file.name.replace(run.name, "RUN") for file in run.iterdir()} for run in (alone, together)]
    assert names[0] == names[1]


def test_processes_share_what_is_drawn_for_all():
    def draws(process, processes):
        chance = Chance(torch.Generator().manual_seed(3), process, processes)
        items = 6 // processes
        return [chance.normal(items, 2), chance.uniform(items), torch.tensor(chance.whole_numbers(9, 4))]

    whole, parts = draws(0, 1), [draws(process, 3) for process in range(3)]
    for i in (0, 1):
        together = torch.stack([part[i] for part in parts], dim=1).flatten(0, 1)
        assert torch.equal(together, whole[i])
    assert all(torch.equal(part[2], whole[2]) for part in parts)
