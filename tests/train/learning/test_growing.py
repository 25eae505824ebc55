"""A model that is grown by a level draws what it drew, enlarged, until the new level has learnt something; and while
that learns alone, nothing else of the model changes.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from ecgan_core.face.holes import region
from ecgan_core.files.checkpoint import load_checkpoint, save_checkpoint
from ecgan_core.pipeline import ECGANPipeline
from train.cli import main
from train.config import ConfigError, TrainConfig, from_dict, load_config
from train.data.light import luminance
from train.learning.devices import make_accelerator
from train.learning.networks import build_networks, can_widen, pipeline_of, start_from
from train.learning.trainer import Trainer

pytestmark = pytest.mark.slow

SMALL = {"image_size": 32, "widths": [6, 8, 12], "latent_channels": 8, "upsampling": "bilinear", "noise_rank": 4}
GROWN = SMALL | {"image_size": 64, "widths": [5, 6, 8, 12], "grown": 1}
EMOTIONS = {"emotions": ["calm", "glad", "grim"], "neutral": "calm"}


def config(networks: dict, **more) -> TrainConfig:
    others = {"discriminator_widths": [4, 8], "emotion_widths": [4, 8], "feature_widths": [4, 8]}
    return from_dict({**EMOTIONS, "networks": networks | others, **more})


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A checkpoint of random weights, every one of them other than 0."""
    return random_checkpoint(tmp_path, SMALL)


def random_checkpoint(folder: Path, sizes: dict, std: float = 0.3) -> Path:
    torch.manual_seed(3)
    recipe = config(sizes)
    networks = build_networks(recipe)
    for network in networks.values():
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=std)
    save_checkpoint(pipeline_of(networks, recipe), folder / "small.safetensors", dtype=torch.float32)
    return folder / "small.safetensors"


def larger(small: Path, sizes: dict) -> ECGANPipeline:
    """The model of a checkpoint in networks of more than it has, untrained."""
    recipe = config(SMALL | sizes)
    networks = build_networks(recipe)
    start_from(networks, small, recipe)
    return pipeline_of(networks, recipe)


def test_a_grown_model_draws_the_old_picture_enlarged(small: Path) -> None:
    old, recipe = load_checkpoint(small), config(GROWN, detail=32)
    networks = build_networks(recipe)
    start_from(networks, small, recipe)
    grown = pipeline_of(networks, recipe)
    generator = torch.Generator().manual_seed(1)
    face = F.interpolate(torch.rand(2, 3, 16, 16, generator=generator) * 2 - 1, 64, mode="bilinear")
    hole = region("mouth", 2, 64, generator)
    missing = F.max_pool2d(hole, 2)

    ours = grown.complete(face, hole, emotion="glad", seeds=[5, 6], variation=0.0)
    theirs = old.complete(F.avg_pool2d(face, 2), missing, emotion="glad", seeds=[5, 6], variation=0.0)
    torch.testing.assert_close(ours.z, theirs.z)
    drawn = grown.generator(ours.z, ours.code, ours.features, face * (1 - hole), hole)
    before = old.generator(theirs.z, theirs.code, theirs.features, face[..., ::2, ::2], missing)
    torch.testing.assert_close(drawn[-1], F.interpolate(before[-1], scale_factor=2, mode="bilinear"))
    assert [image.shape[-1] for image in drawn] == [16, 32, 64]
    torch.testing.assert_close(grown.infer_emotion(face, hole), old.infer_emotion(F.avg_pool2d(face, 2), missing))


def test_a_deepened_model_draws_the_old_picture(small: Path) -> None:
    deepened = larger(small, {"deeper": 2})
    assert sum(key.startswith("deep.") for key in deepened.encoder.state_dict()) > 0
    assert_draws_as(load_checkpoint(small), deepened)


def test_a_widened_model_draws_the_old_picture_and_learns_with_what_is_new(tmp_path: Path) -> None:
    narrow = {**SMALL, "image_size": 64, "widths": [16, 16, 32, 48]}
    small = random_checkpoint(tmp_path, narrow, std=0.1)  # larger ones make a chaos of the last bit
    widened = larger(small, {**narrow, "widths": [48, 48, 32, 48], "deeper": 1})
    assert_draws_as(load_checkpoint(small), widened)
    generator, visible, hole = (
        widened.generator.requires_grad_(True),
        torch.ones(1, 3, 64, 64),
        torch.ones(1, 1, 64, 64),
    )
    encoded = widened.encoder(visible * 0, hole)
    generator(encoded.prior.mean, torch.zeros(1, 8), encoded.features, visible * 0, hole)[-1].sum().backward()
    assert generator.to_rgb[-1].weight.grad[:, 16:].abs().sum() > 0  # where what is new is heard first


def assert_draws_as(old: ECGANPipeline, new: ECGANPipeline) -> None:
    generator, size = torch.Generator().manual_seed(1), old.encoder.config.image_size
    face = torch.rand(2, 3, size, size, generator=generator) * 2 - 1
    hole = region("lower face", 2, size, generator)
    ours = new.complete(face, hole, emotion="glad", seeds=[5, 6], variation=0.0)
    theirs = old.complete(face, hole, emotion="glad", seeds=[5, 6], variation=0.0)
    torch.testing.assert_close(new.decode(ours), old.decode(theirs))


def test_what_has_more_than_the_recipe_says_what_would_fit(small: Path, tmp_path: Path) -> None:
    recipe = config(SMALL | {"deeper": 2})
    file = tmp_path / "deep.safetensors"
    save_checkpoint(pipeline_of(build_networks(recipe), recipe), file, dtype=torch.float32)
    with pytest.raises(ConfigError, match=r"more deeper blocks than the recipe: say --set networks\.deeper=2"):
        start_from(build_networks(config(SMALL)), file, config(SMALL))


@pytest.mark.parametrize(
    ("wide", "can"),
    [
        ((32, 64, 96, 128, 192), True),
        ((16, 32, 64, 128, 192), True),
        ((24, 32, 64, 128, 192), False),  # a group of GroupNorm would hold other channels than it held
        ((32, 64, 128, 128, 192), False),  # the trained block had a shortcut
        ((16, 32, 64, 160, 192), False),  # heads of attention would be of other channels
        ((16, 32, 32, 128, 192), False),
        ((32, 64, 128, 192), False),
    ],
)
def test_which_widths_can_be_widened(wide: tuple[int, ...], can: bool) -> None:
    assert can_widen((16, 32, 64, 128, 192), wide) is can


def test_what_cannot_grow_into_the_recipe_says_what_would(small: Path) -> None:
    recipe = config(GROWN | {"widths": [5, 6, 8, 16]})
    with pytest.raises(ConfigError, match=r"networks\.widths=\[5,6,8,12\]"):
        start_from(build_networks(recipe), small, recipe)


GROWN_RECIPE = [
    "networks.image_size=128",
    "networks.widths=[6,8,8,16,16]",
    "networks.grown=1",
    "detail=48",
    "images=32",
]


@pytest.fixture(scope="module")
def of_64(recipe, tmp_path_factory) -> Path:
    """A checkpoint of the tiny recipe, of 64 pixels."""
    torch.manual_seed(5)
    config = load_config(recipe)
    file = tmp_path_factory.mktemp("models") / "of-64.safetensors"
    networks = build_networks(config)
    networks["encoder"].deviations.normal_()
    save_checkpoint(pipeline_of(networks, config), file, dtype=torch.float32)
    return file


def detail_trainer(of_64: Path, recipe, data, out: Path, state=None) -> Trainer:
    config = load_config(recipe, [*GROWN_RECIPE, f"start_from={of_64}"])
    return Trainer(config, data, make_accelerator(config, out, cpu=True), state)


def test_only_the_grown_levels_learn(of_64, recipe, data, tmp_path) -> None:
    trainer = detail_trainer(of_64, recipe, data, tmp_path)
    trainer.begin()
    before = {key: value.clone() for key, value in pipeline_tensors(trainer).items()}
    for _ in range(3):
        terms = trainer.train_step()
    assert {"appearance", "perceptual", "adversarial", "discriminator", "gradient_norm"} == set(terms)
    changed = {key for key, value in pipeline_tensors(trainer).items() if not torch.equal(value, before[key])}
    fresh = {key for key in before if key.startswith(("encoder.fine.", "generator.detail."))}
    assert {key for key in changed if not key.startswith(("discriminator.trunk.", "discriminator.realness."))} <= fresh
    assert {"encoder.fine.stems.0.weight", "generator.detail.0.to_rgb.weight"} <= changed

    old = load_checkpoint(of_64)
    grown = pipeline_of(trainer.networks, trainer.config)
    face, hole = trainer.faces.pick(torch.arange(2)), region("mouth", 2, 128, torch.Generator())
    mine = grown.complete(face, hole, emotion="happy", seeds=[0, 1], variation=0.0)
    theirs = old.complete(F.avg_pool2d(face, 2), F.max_pool2d(hole, 2), emotion="happy", seeds=[0, 1], variation=0.0)
    torch.testing.assert_close(mine.z, theirs.z)
    torch.testing.assert_close(grown.infer_emotion(face), old.infer_emotion(F.avg_pool2d(face, 2)))


def test_detail_that_would_need_another_emotion_network_is_refused(of_64, recipe, data, tmp_path, capsys) -> None:
    command = ["fit", str(recipe), "--data", str(data), "--cpu", "--from", str(of_64), "--out", str(tmp_path / "run")]
    assert main([*command, "--set", *GROWN_RECIPE, "networks.emotion_widths=[4,4]"]) == 1
    assert "to keep it, say --set networks.emotion_widths=[" in capsys.readouterr().err


def pipeline_tensors(trainer: Trainer) -> dict[str, torch.Tensor]:
    networks = {name: trainer.networks[name] for name in ("encoder", "generator", "discriminator")}
    return {f"{name}.{key}": value for name, net in networks.items() for key, value in net.state_dict().items()}


def test_a_run_of_detail_goes_on_exactly_and_its_model_works(of_64, recipe, data, tmp_path) -> None:
    command = ["fit", str(recipe), "--data", str(data), "--cpu", "--from", str(of_64), "--set", *GROWN_RECIPE]
    assert main([*command, "save_every=16", "--out", str(tmp_path / "whole")]) == 0
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    (tmp_path / "cut" / "state-000000032.safetensors").unlink()
    assert main([*command, "save_every=16", "--out", str(tmp_path / "cut"), "--resume"]) == 0
    whole, cut = (load_checkpoint(tmp_path / run / f"{run}.safetensors") for run in ("whole", "cut"))
    for key, value in whole.generator.state_dict().items():
        assert torch.equal(cut.generator.state_dict()[key], value), key
    torch.testing.assert_close(
        whole.encoder.deviations, load_checkpoint(of_64).encoder.deviations, rtol=1e-3, atol=1e-3
    )
    assert whole.frame_size == 128
    latent = whole.complete(torch.zeros(1, 3, 128, 128), region("mouth", 1, 128, torch.Generator()), seeds=[0])
    assert whole.decode(latent).shape == (1, 3, 128, 128)


def test_an_exported_model_draws_its_detail_as_bright_as_the_recipe_says(of_64, recipe, data, tmp_path) -> None:
    settings = [*GROWN_RECIPE, "detail_gain=3"]
    command = ["fit", str(recipe), "--data", str(data), "--cpu", "--from", str(of_64), "--set", *settings]
    run, file = tmp_path / "run", tmp_path / "exported.safetensors"
    assert main([*command, "--out", str(run)]) == 0
    assert main(["export", str(run), str(file)]) == 0
    torch.manual_seed(0)
    coarse, blank, feature = torch.randn(1, 8, 64, 64), torch.zeros(1, 3, 64, 64), torch.randn(1, 6, 128, 128)
    inputs = (coarse, blank, feature, torch.ones(1, 1, 128, 128), torch.randn(1, 12))
    levels = [load_checkpoint(path).generator.detail[0] for path in (run / "run.safetensors", file)]
    trained, exported = (level(*inputs)[1] for level in levels)
    brightness, brighter = luminance(trained), luminance(exported)
    assert 1e-4 < brightness.abs().max() < 1 / 3
    torch.testing.assert_close(brighter, 3 * brightness, rtol=0.02, atol=1e-4)
    torch.testing.assert_close(exported - brighter, trained - brightness, rtol=0.02, atol=1e-4)


def test_whatever_several_processes_would_wait_for_has_a_gradient(of_64, recipe, data, tmp_path) -> None:
    """They share the gradients of all that asks for one when training begins, and stand still for one that lacks."""
    trainer = detail_trainer(of_64, recipe, data, tmp_path)
    asking = [(name, p) for name, p in trainer.discrimination.named_parameters() if p.requires_grad]
    asking += [(name, p) for name, p in trainer.completion.named_parameters() if p.requires_grad]
    trainer.begin()
    trainer.train_step()
    assert [name for name, p in asking if p.grad is None] == []


def test_after_the_detail_all_of_it_may_be_trained_again(of_64, recipe, data, tmp_path) -> None:
    config = load_config(recipe, [*GROWN_RECIPE, "detail=0", f"start_from={of_64}"])
    trainer = Trainer(config, data, make_accelerator(config, tmp_path, cpu=True))
    trainer.begin()
    before = {key: value.clone() for key, value in pipeline_tensors(trainer).items()}
    for _ in range(3):
        trainer.train_step()
    changed = {key for key, value in pipeline_tensors(trainer).items() if not torch.equal(value, before[key])}
    assert {"encoder.fine.stems.0.weight", "encoder.stem.weight", "generator.middle.conv1.weight"} <= changed
    assert "discriminator.emotion_head.linear.weight" in changed


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["detail=32"], "only grown levels have any"),
        (["networks.grown=1", "detail=33"], "multiple of 2"),
        (["detail_gain=1.4"], "only a run of detail has any"),
        (["weights.sharpness=1"], "weights.sharpness: only grown levels are trained with it"),
        (["networks.grown=3"], "must leave two of the 4 widths"),
        (["networks.upsampling=cubic"], "neither nearest nor bilinear"),
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused(recipe, settings, said) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(recipe, settings)
