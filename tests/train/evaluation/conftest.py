"""What judges photographs, as files of random weights in face-api's form, and a few pictures to judge."""

import json

import numpy as np
import pytest
import torch

from train.config import load_config
from train.data.faces import load_faces
from train.evaluation.identity import save_identity, train_identity
from train.evaluation.judge import save_judge, train_judge
from train.learning.networks import build_networks, pipeline_of

from ..conftest import draw_face


@pytest.fixture(scope="session")
def networks(recipe, data, tmp_path_factory):
    """A folder with `judge.safetensors` and `identity.safetensors`, taught on the drawn faces."""
    config, folder = load_config(recipe), tmp_path_factory.mktemp("networks")
    training = load_faces(config, data)
    save_judge(train_judge(training, config, images=400), folder / "judge.safetensors", config.emotions)
    save_identity(train_identity(training, config, images=240), folder / "identity.safetensors")
    return folder


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


@pytest.fixture(scope="module")
def pipeline(recipe):
    """An untrained one whose generator answers to the emotion."""
    config = load_config(recipe)
    networks = build_networks(config)
    with torch.no_grad():
        for parameter in networks["generator"].parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return pipeline_of(networks, config)
