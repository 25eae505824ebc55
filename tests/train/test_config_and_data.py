"""Recipes and data sets: what is read, and the sentence for what cannot be."""

import shutil
from pathlib import Path

import pytest
import torch

from ecgan_core import DEFAULT_CHECKPOINT, load_checkpoint
from train.cli import main
from train.config import ConfigError, TrainConfig, from_dict, load_config
from train.data import faces as data_module
from train.data.faces import augment, draw, is_held_out, load_faces, step_generator
from train.data.sources.row import DataError
from train.recipe_tree import read_tree
from train.stages import load_plan

SIDES = {"portraits-64": 64, "portraits": 128, "portraits-256": 256, "paper": 64}


@pytest.mark.parametrize(("name", "side"), SIDES.items())
def test_the_recipes_are_valid(name, side):
    stages = load_plan(Path(f"recipes/{name}.yaml")).stages
    for stage in stages:
        assert from_dict(stage.config.to_dict()) == stage.config
    assert stages[-1].config.networks.image_size == side


def test_the_artists_recipe_can_start_from_the_bundled_model_of_its_size():
    pipeline = load_checkpoint(DEFAULT_CHECKPOINT.with_name("ecgan-portraits-128.safetensors"))
    encoder = pipeline.encoder.config
    sizes = load_config("recipes/artist-128.yaml").networks
    assert (sizes.image_size, list(sizes.widths)) == (encoder["image_size"], list(encoder["widths"]))
    assert sizes.latent_channels == encoder["latent_channels"]
    assert sizes.upsampling == pipeline.generator.config["upsampling"], "or it would be drawn in squares again"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("imges=10", "did you mean 'images'"),
        ("networks.widhts=[1]", "networks.widhts: no such key; did you mean 'widths'"),
        ("images=many", "images: expected int"),
        ("images=0", "images: must be at least 1"),
        ("networks.noise_rank=1", "networks.noise_rank: must be 0, or from 2"),
        ("neutral=calm", "'calm' is not one of the emotions"),
        ("code=guess", "none of label, inferred"),
        ("perceptual_loss=l2", "none of normalised, l1"),
        ("holes={nose: 1}", "no hole of kind 'nose'"),
        ("later=[{images: 5, weights: {beauty: 1}}]", "later: there is no loss 'beauty'; known are adversarial"),
        ("batch", "write key=value"),
        ("data=[{path: a, weight: 0}, {path: b, weight: 0}]", "data: every source has the weight 0"),
        ("networks={grown: 1, grown: 1}", "the key 'grown' is there twice"),
    ],
)
def test_a_wrong_key_or_value_is_named(recipe, override, words):
    with pytest.raises(ValueError, match=words):
        load_config(recipe, [override])


def test_a_key_that_is_there_twice_is_said_and_one_that_takes_anothers_place_is_none(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("images: 8\nseed: 1\nimages: 16\n")
    with pytest.raises(ConfigError, match="the key 'images' is there twice; take one of them out in line 3, column 1"):
        load_config(path)
    path.write_text("networks: &sizes {image_size: 32, deeper: 1}\nnetworks2: {<<: *sizes, deeper: 2}\n")
    assert read_tree(path)["networks2"] == {"image_size": 32, "deeper": 2}


def test_weights_change_when_the_clock_reaches_them():
    later = [{"images": 20, "weights": {"kl": 2}}, {"images": 10, "weights": {"kl": 1, "chroma": 3}}]
    config = from_dict({"later": later})
    assert config.weights_at(9) == config.weights
    assert (config.weights_at(10).kl, config.weights_at(10).chroma) == (1, 3)
    assert (config.weights_at(20).kl, config.weights_at(20).chroma) == (2, 3)
    assert config.weights_at(20).appearance == config.weights.appearance


def test_a_missing_recipe_is_one_sentence_and_exit_1(tmp_path, capsys):
    assert main(["fit", "nowhere.yaml", "--data", str(tmp_path), "--out", str(tmp_path / "o")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("fit: cannot read the recipe nowhere.yaml")
    assert "Traceback" not in error


def test_splits_share_no_identity_and_lose_no_picture(recipe, data):
    config = load_config(recipe)
    training, held_out = load_faces(config, data), load_faces(config, data, held_out=True)
    assert not set(training.identity) & set(held_out.identity)
    assert len(training) + len(held_out) == 36
    assert training.faces.shape[1:] == (3, 64, 64)
    assert training.faces.dtype == torch.uint8
    assert is_held_out("faces/00", 0.25) == is_held_out("faces/00", 0.25)


def test_index_csv_says_emotion_identity_and_use(tmp_path, data):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(4):
        shutil.copy(data / "faces" / "happy" / f"{i:02}.png", folder / f"{i}.png")
    rows = ["file,emotion,identity,use", "0.png,happy,a,train", "1.png,neutral,a,train", "2.png,happy,b,evaluate"]
    (folder / "index.csv").write_text("\n".join(rows))
    config = TrainConfig(data=from_dict({"data": [{"path": "photos", "held_out": 0}]}).data)
    faces = load_faces(config, tmp_path)
    assert faces.identity == ["photos/a", "photos/a"]
    assert [config.emotions[i] for i in faces.emotion] == ["happy", "neutral"]


def test_what_is_wrong_with_a_data_set_is_said(tmp_path, data, recipe):
    config = load_config(recipe)
    with pytest.raises(DataError, match=r"no folder .*faces.*--data"):
        load_faces(config, tmp_path)
    shutil.copytree(data / "faces", tmp_path / "faces")
    (tmp_path / "faces" / "grumpy").mkdir()
    shutil.copy(data / "faces" / "happy" / "00.png", tmp_path / "faces" / "grumpy")
    with pytest.raises(DataError, match="pictures of 'grumpy', but the recipe's emotions are 'neutral'"):
        load_faces(config, tmp_path) and load_faces(config, tmp_path, held_out=True)
    shutil.rmtree(tmp_path / "faces" / "grumpy")
    (tmp_path / "faces" / "happy" / "00.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"cannot read the picture .*00\.png"):
        load_faces(config, tmp_path) and load_faces(config, tmp_path, held_out=True)


def test_batches_are_functions_of_seed_and_step(recipe, data):
    faces = load_faces(load_config(recipe), data)
    first, again, other = (draw(faces, 16, step_generator(0, step)) for step in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_weights_decide_how_often_a_source_is_drawn(tmp_path, data):
    shutil.copytree(data / "faces", tmp_path / "a")
    shutil.copytree(data / "faces", tmp_path / "b")
    sources = [{"path": "a", "weight": 3, "held_out": 0}, {"path": "b", "weight": 1, "held_out": 0}]
    faces = load_faces(from_dict({"data": sources}), tmp_path)
    drawn = draw(faces, 4000, step_generator(0, 0))
    assert torch.tensor([faces.identity[i].startswith("a/") for i in drawn]).float().mean() == pytest.approx(
        0.75, abs=0.03
    )


def test_augmentation_moves_a_little_and_stays_in_range(recipe, data):
    face = data_module.to_float(load_faces(load_config(recipe), data).faces[:8])
    changed = augment(face, step_generator(0, 0))
    assert changed.shape == face.shape
    assert changed.abs().max() <= 1
    assert 0.01 < (changed - face).abs().mean() < 0.5
    assert augment(face, step_generator(0, 0)).equal(changed)


def test_config_errors_are_value_errors():
    with pytest.raises(ConfigError, match="expected keys with values"):
        from_dict(["not", "a", "recipe"])
