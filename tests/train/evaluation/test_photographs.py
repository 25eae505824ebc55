"""Photographs are judged by networks that face-api's files describe: here by files of random weights in that form."""

import json

import numpy as np
import pytest
import torch

from ecgan_core.files.checkpoint import save_checkpoint
from ecgan_core.files.tensors import BadFile
from train.cli import main
from train.config import load_config
from train.evaluation.face_api import ExpressionNetwork, RecognitionNetwork, load_weights
from train.evaluation.photographs import PublicNetworks, edited_pair, hole_of, load_photographs, measure_photographs
from train.learning.networks import build_networks, pipeline_of

from ..conftest import draw_face


def write_weights(folder, name, shapes, seed=0):
    """Weights in face-api's form: float32 biases, everything else quantised to uint8."""
    rng, entries, raw = np.random.default_rng(seed), [], b""
    for key, shape in shapes.items():
        entry = {"name": key, "shape": list(shape), "dtype": "float32"}
        if len(shape) > 1:
            scale = float(2 / 255 / np.sqrt(np.prod(shape[:-1])))
            entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": -127 * scale}
            raw += rng.integers(0, 256, shape, dtype=np.uint8).tobytes()
        else:
            raw += rng.normal(1 if key.endswith("scale/weights") else 0, 0.05, shape).astype("<f4").tobytes()
        entries.append(entry)
    (folder / f"{name}.bin").write_bytes(raw)
    (folder / f"{name}-weights_manifest.json").write_text(json.dumps([{"weights": entries, "paths": [f"{name}.bin"]}]))


def expression_shapes():
    shapes = {}
    for block, width in enumerate((32, 64, 128, 256)):
        channels = 3 if block == 0 else width // 2
        for i in range(4):
            if block == 0 and i == 0:
                shapes["dense0/conv0/filters"] = (3, 3, 3, width)
            else:
                shapes[f"dense{block}/conv{i}/depthwise_filter"] = (3, 3, channels, 1)
                shapes[f"dense{block}/conv{i}/pointwise_filter"] = (1, 1, channels, width)
            shapes[f"dense{block}/conv{i}/bias"] = (width,)
            channels = width
    return shapes | {"fc/weights": (256, 7), "fc/bias": (7,)}


def recognition_shapes():
    shapes, channels = {}, 3

    def conv(name, a, b, kernel=3):
        shapes[f"{name}/conv/filters"] = (kernel, kernel, a, b)
        shapes.update({f"{name}/{part}": (b,) for part in ("conv/bias", "scale/weights", "scale/biases")})

    conv("conv32_down", 3, 32, 7)
    channels = 32
    names = [f"conv32_{i}" for i in (1, 2, 3)] + ["conv64_down"] + [f"conv64_{i}" for i in (1, 2, 3)]
    names += ["conv128_down", "conv128_1", "conv128_2", "conv256_down", "conv256_1", "conv256_2", "conv256_down_out"]
    for name in names:
        width = int(name[4:].split("_")[0])
        conv(f"{name}/conv1", channels, width)
        conv(f"{name}/conv2", width, width)
        channels = width
    return shapes | {"fc": (256, 128)}


@pytest.fixture(scope="module")
def face_api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_weights(folder, "face_expression_model", expression_shapes())
    write_weights(folder, "face_recognition_model", recognition_shapes())
    return folder


@pytest.fixture
def photographs(tmp_path):
    rows = ["file,emotion,use,identity,source"]
    for i, (emotion, use) in enumerate([("neutral", "evaluate"), ("happy", "evaluate"), ("happy", "train")]):
        draw_face(emotion, i // 2).resize((256, 256)).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png,{emotion},{use},person-{i // 2},drawn")
    (tmp_path / "index.csv").write_text("\n".join(rows))
    return tmp_path


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


@pytest.fixture(scope="module")
def pipeline(recipe):
    """An untrained one whose generator answers to the emotion."""
    config = load_config(recipe)
    networks = build_networks(config)
    with torch.no_grad():
        for parameter in networks["generator"].parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return pipeline_of(networks, config)


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
    before, after = edited_pair(pipeline, group.pictures, "mouth", "happy", seed=0)
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
