"""Photographs are judged by networks that face-api's files describe: here by files of random weights in that form."""

import json

import pytest
import torch

from ecgan_core.files.checkpoint import save_checkpoint
from ecgan_core.files.tensors import BadFile
from train.cli import main
from train.evaluation.face_api import ExpressionNetwork, RecognitionNetwork, load_weights
from train.evaluation.photographs import PublicNetworks, edited_pair, hole_of, load_photographs, measure_photographs


def test_quantised_weights_are_scaled_back(face_api):
    weights = load_weights(face_api, "face_expression_model")
    manifest = json.loads((face_api / "face_expression_model-weights_manifest.json").read_text())
    first = manifest[0]["weights"][0]["quantization"]
    filters = weights["dense0/conv0/filters"]
    assert filters.shape == (3, 3, 3, 32)
    steps = (filters - first["min"]) / first["scale"]
    torch.testing.assert_close(steps, steps.round(), atol=1e-3, rtol=0)
    assert steps.min() >= 0
    assert steps.max() <= 255.001


def test_the_networks_tell_each_face_by_itself(face_api):
    faces = torch.rand(3, 3, 196, 196)
    expression, recognition = ExpressionNetwork(face_api), RecognitionNetwork(face_api)
    p, people = expression(faces), recognition(faces)
    torch.testing.assert_close(p.sum(1), torch.ones(3))
    assert people.shape == (3, 128)
    torch.testing.assert_close(people[1:2], recognition(faces[1:2]), atol=1e-4, rtol=1e-4)


def test_files_that_are_not_face_apis_are_refused(face_api, tmp_path):
    with pytest.raises(BadFile, match="@vladmandic/face-api"):
        ExpressionNetwork(tmp_path)
    name = "face_expression_model"
    for file in face_api.glob(f"{name}*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / f"{name}.bin").open("ab") as file:
        file.write(b"more")
    with pytest.raises(BadFile, match="bytes"):
        ExpressionNetwork(tmp_path)


def test_only_rows_for_measuring_are_read_and_the_rest_of_a_photograph_stays(photographs, face_api, pipeline):
    (group,) = load_photographs(photographs)
    assert group.source == "drawn"
    assert group.pictures.shape == (2, 3, 256, 256)
    result, sheet = measure_photographs(pipeline, group, PublicNetworks(face_api, "happy"))
    assert result.faces == 2
    assert result.outside_equal
    assert 0 <= result.rises <= 1
    assert result.real.keys() == {"neutral", "happy"}
    assert result.distance_same is not None
    assert result.distance_other is None  # both pictures are of one person
    assert sheet.shape == (2, 4, 3, 256, 256)
    before, after = edited_pair(pipeline, group.pictures, hole_of("mouth"), "happy", seed=0)
    assert torch.equal(before * (hole_of("mouth") == 0), group.pictures * (hole_of("mouth") == 0))
    assert not torch.equal(before, after)


def test_what_is_missing_is_said_before_anything_is_measured(photographs, data, recipe, pipeline, tmp_path, capsys):
    checkpoint = tmp_path / "untrained.safetensors"
    save_checkpoint(pipeline, checkpoint)
    arguments = ["evaluate", str(checkpoint), str(recipe), "--data", str(data), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--photographs", str(photographs)]) == 1
    assert "--face-api" in capsys.readouterr().err
    assert main([*arguments, "--photographs", str(photographs), "--face-api", str(tmp_path)]) == 1
    assert "there is no file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
