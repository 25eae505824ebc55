"""Pictures of mixtures of two emotions: the truth for a code of half and half, and nothing else."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from train.cli import main
from train.config import load_config
from train.data.faces import is_held_out, load_faces
from train.evaluation.readability import readability
from train.learning.devices import make_accelerator
from train.learning.trainer import Trainer

from .conftest import EMOTIONS, draw_face


@pytest.fixture(scope="module")
def still(data, tmp_path_factory):
    """The drawn faces, and half happy, half surprised ones of all people but the last."""
    root = tmp_path_factory.mktemp("still")
    shutil.copytree(data / "faces", root / "faces")
    (root / "faces" / "surprised+happy").mkdir()
    for identity in range(11):
        blended(identity).save(root / "faces" / "surprised+happy" / f"{identity:02}.png")
    return root


def blended(identity):
    return Image.blend(draw_face("happy", identity), draw_face("surprised", identity), 0.5)


def paired(recipe, *overrides):
    return load_config(recipe, ["data=[{path: faces, held_out: 0.25, paired: true}]", *overrides])


def test_who_is_asked_for_a_mixture_has_the_persons_picture_as_truth(recipe, still, tmp_path):
    config = paired(recipe, "resample=1", "mixed=1", "augment=false", "batch=32")
    trainer = Trainer(config, still, make_accelerator(config, tmp_path, cpu=True))
    batch = trainer.batch(trainer.chance())
    half = (batch.wanted == 0.5).any(dim=1)
    assert half.sum() > 20
    assert torch.equal(batch.wanted[half], torch.tensor([0.0, 0.5, 0.5]).expand(int(half.sum()), -1))
    assert not (batch.label == 0.5).any(), "nobody has to name a mixture"
    faces = trainer.faces
    for face, truth, hole in zip(batch.face[half], batch.truth[half], batch.hole[half], strict=True):
        [here] = [i for i in range(len(faces)) if torch.equal(faces.pick(torch.tensor([i]))[0], face)]
        drawn = blended(int(faces.identity[here].removeprefix("faces/"))).resize((64, 64), Image.Resampling.BOX)
        expected = torch.from_numpy(np.array(drawn)).permute(2, 0, 1) / 127.5 - 1
        assert ((truth - expected).abs() * hole).mean() < 0.05
        assert torch.equal(truth * (1 - hole), face * (1 - hole))


@pytest.mark.slow
def test_a_run_with_mixtures_trains_and_none_without_pairs_sees_them(recipe, still, tmp_path, capsys):
    folder = tmp_path / "run"
    arguments = ["fit", str(recipe), "--data", str(still), "--cpu", "--out", str(folder), "--set"]
    assert main([*arguments, "data=[{path: faces, held_out: 0.25, paired: true}]", "resample=0.9", "mixed=1"]) == 0
    with_mixtures, without = load_faces(paired(recipe), still), load_faces(load_config(recipe), still)
    assert len(with_mixtures) == len(without)
    assert (len(with_mixtures.looks), len(without.looks)) == (4, 3)
    kept = sum(not is_held_out(f"faces/{i:02}", 0.25) for i in range(11))
    assert len(with_mixtures.pictures) - len(with_mixtures) == kept
    assert f"; and {kept} of 1 mixtures" in capsys.readouterr().out


def test_a_split_may_have_no_picture_of_a_source(recipe, still):
    both = "data=[{path: faces, held_out: 0, paired: true}, {path: faces, held_out: 0.25}]"
    assert len(load_faces(load_config(recipe, [both]), still, held_out=True)) > 0


def test_check_counts_them_apart_and_says_where_they_are_idle(recipe, still, capsys):
    main(["check", str(recipe), "--data", str(still)])
    report = capsys.readouterr().out
    assert "mixtures    11 pictures halfway between two emotions" in report
    assert "11 pictures of mixtures, such as surprised+happy, will not be used" in report
    assert "labelled 'surprised+happy'" not in report
    main(["check", str(recipe), "--data", str(still), "--set", "data=[{path: faces, paired: true}]"])
    assert "will not be used" not in capsys.readouterr().out
    main(["check", str(still / "faces")])
    assert "train on: happy 8, neutral 8, surprised 8" in capsys.readouterr().out


def test_readability_asks_for_no_mixture(still):
    table = readability(still / "faces", size=32, images=64)
    assert all(emotion in table for emotion in EMOTIONS)
    assert "+" not in table
