"""What is asked of a completion: checked where it is said, handed on whole, and remembered in the latent's file."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ecgan_core import BadFile, Completion, NoFaceFound, PortraitLatent, complete_portraits, render


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.rand(1, 3, 90, 90, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def hole() -> torch.Tensor:
    hole = torch.zeros(1, 1, 90, 90)
    hole[..., 40:70, 30:60] = 1
    return hole


ASKED = Completion(
    "angry", strength=1.3, seed=5, samples=2, variation=0.8, face="whole image", feather=3, color_match=0.4
)


def test_settings_by_name_are_those_of_a_completion(pipeline, picture, hole):
    whole = render(pipeline, complete_portraits(pipeline, picture, hole, ASKED))
    by_name = render(pipeline, complete_portraits(pipeline, picture, hole, **dataclasses.asdict(ASKED)))
    assert torch.equal(whole, by_name)
    one_wins = complete_portraits(pipeline, picture, hole, ASKED, samples=1)
    assert torch.equal(render(pipeline, one_wins)[0], whole[0])
    assert one_wins.asked == dataclasses.replace(ASKED, samples=1)


@pytest.mark.slow
def test_each_setting_acts(pipeline, picture, hole):
    """A setting that nothing reads would draw the same picture whatever it says."""
    others = {"emotion": "joyful", "strength": 0.2, "seed": 9, "samples": 3, "variation": 0.1, "feather": 9}
    others |= {"color_match": 1.0, "texture": 0.0}
    assert others.keys() | {"face", "on_no_face", "track", "inside_face", "texture_alive"} == {
        field.name for field in dataclasses.fields(Completion)
    }
    drawn = render(pipeline, complete_portraits(pipeline, picture, hole, ASKED))
    with pytest.raises(NoFaceFound):
        complete_portraits(pipeline, picture, hole, ASKED, face="auto")
    left = complete_portraits(pipeline, picture, hole, ASKED, face="auto", on_no_face="leave")
    assert torch.equal(render(pipeline, left), picture.expand(2, -1, -1, -1))
    for name, value in others.items():
        other = render(pipeline, complete_portraits(pipeline, picture, hole, ASKED, **{name: value}))
        assert other.shape != drawn.shape or not torch.equal(other, drawn), f"{name} changes nothing"


def test_the_seeds_of_samples_count_on_and_round():
    assert Completion(seed=7, samples=3).seeds == [7, 8, 9]
    assert Completion(seed=2**64 - 1, samples=2).seeds == [2**64 - 1, 0]
    assert Completion(seed=np.int64(3)) == Completion(seed=3)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"emotion": 3}, "emotion must be a name, or None, but it is 3"),
        ({"strength": float("nan")}, "strength must be a finite number, but it is nan"),
        ({"variation": "much"}, "variation must be a finite number, but it is 'much'"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"seed": 2**64}, "seed must be from 0 to 18446744073709551615, not 18446744073709551616"),
        ({"samples": 0}, "samples must be at least 1, not 0"),
        ({"samples": 2.0}, "samples must be a whole number, but it is 2.0"),
        ({"samples": True}, "samples must be a whole number, but it is True"),
        ({"feather": 10**400}, "feather must be from 0 to 65536, not 1"),
        ({"color_match": 1.5}, "color_match must be from 0 to 1, not 1.5"),
        ({"texture": -0.1}, "texture must be at least 0, not -0.1"),
        ({"face": "left"}, "face must be one of 'auto', 'whole image', not 'left'"),
        ({"track": 1}, "track must be True or False, but it is 1"),
        ({"inside_face": "yes"}, "inside_face must be True or False, but it is 'yes'"),
        ({"texture_alive": None}, "texture_alive must be True or False, but it is None"),
        ({"on_no_face": "go on"}, "on_no_face must be one of 'auto', 'error', 'leave', not 'go on'"),
    ],
)
def test_what_a_setting_may_not_be_is_said_in_a_sentence(setting, said):
    with pytest.raises(ValueError, match="^" + said.replace(".", r"\.")) as problem:
        Completion(**setting)
    assert len(str(problem.value).splitlines()) == 1


def test_a_latent_file_remembers_what_was_asked(pipeline, picture, hole, tmp_path):
    latent = complete_portraits(pipeline, picture, hole, ASKED)
    latent.save(tmp_path / "new.safetensors")
    assert PortraitLatent.load(tmp_path / "new.safetensors").asked == ASKED
    with safe_open(tmp_path / "new.safetensors", framework="pt") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
    del metadata["digest"]

    of_then = {key: metadata[key] for key in ("model", "frames", "owners")} | {"ecgan_portrait": "2"}
    save_file(tensors, tmp_path / "older.safetensors", of_then | {"feather": "3", "color_match": "0.4"})
    older = PortraitLatent.load(tmp_path / "older.safetensors")
    without_texture = complete_portraits(pipeline, picture, hole, ASKED, texture=0)
    assert torch.equal(render(pipeline, older), render(pipeline, without_texture)), "two settings by name, no others"

    newer = json.dumps(json.loads(metadata["asked"]) | {"sharpness": 1})
    save_file(tensors, tmp_path / "newer.safetensors", metadata | {"asked": newer})
    with pytest.raises(BadFile, match="the setting 'sharpness', which this version does not know"):
        PortraitLatent.load(tmp_path / "newer.safetensors")
