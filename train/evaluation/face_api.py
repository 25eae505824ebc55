"""Two public networks for judging photographs: expression and identity, of face-api.js, run in PyTorch.

They are no part of this project and are not downloaded by it. Whoever wants the figures fetches the npm package
`@vladmandic/face-api` 1.7.15 (MIT) and names its `model` folder. The identity network is a port of dlib's ResNet (Davis
King); two pictures are of one person when their descriptors are less than 0.6 apart.

Both take upright faces [B,3,H,W] in 0..1, square, with about 12 % margin around the face.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ecgan_core.files.tensors import BadFile

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
SAME_PERSON = 0.6  # usual threshold of the distance of two descriptors
WHERE = "give --face-api the `model` folder of the npm package @vladmandic/face-api 1.7.15"
MEAN_COLOUR = (122.782, 117.001, 104.298)
DTYPES = {"uint8", "uint16", "int32", "float32"}

Weights = dict[str, Tensor]


class ExpressionNetwork:
    """Probabilities of `EXPRESSIONS`: four blocks of depthwise separable convolutions, each a sum of all before it."""

    side = 112

    def __init__(self, folder: Path):
        self.weights = load_weights(folder, "face_expression_model")

    @torch.no_grad()
    def __call__(self, faces: Tensor) -> Tensor:
        """[B,7] of faces [B,3,H,W] in 0..1."""
        x, p = _prepared(faces, self.side), self.weights
        for block in range(4):
            x = self._block(x, f"dense{block}")
        x = F.avg_pool2d(x, 7, 2).flatten(1)
        return (x @ p["fc/weights"] + p["fc/bias"]).softmax(dim=1)

    def _block(self, x: Tensor, name: str) -> Tensor:
        p = self.weights
        if f"{name}/conv0/filters" in p:
            x = F.conv2d(_padded(x, 3, 2), _filters(p[f"{name}/conv0/filters"]), p[f"{name}/conv0/bias"], 2)
        else:
            x = self._separable(x, f"{name}/conv0", 2)
        total = F.relu(x)
        for i in (1, 2, 3):
            total = total + self._separable(F.relu(total), f"{name}/conv{i}", 1)
        return F.relu(total)

    def _separable(self, x: Tensor, name: str, stride: int) -> Tensor:
        p = self.weights
        depthwise = p[f"{name}/depthwise_filter"].permute(2, 3, 0, 1)
        x = F.conv2d(_padded(x, 3, stride), depthwise, stride=stride, groups=x.shape[1])
        return F.conv2d(x, _filters(p[f"{name}/pointwise_filter"]), p[f"{name}/bias"])


class RecognitionNetwork:
    """Descriptors of people: dlib's ResNet, whose Euclidean distance is below 0.6 for the same person."""

    side = 150

    def __init__(self, folder: Path):
        self.weights = load_weights(folder, "face_recognition_model")

    @torch.no_grad()
    def __call__(self, faces: Tensor) -> Tensor:
        """[B,128] of faces [B,3,H,W] in 0..1."""
        x = F.relu(self._conv(_prepared(faces, self.side), "conv32_down", 2, 0))
        x = F.max_pool2d(x, 3, 2)
        for width, units in ((32, 3), (64, 3), (128, 2), (256, 2)):
            if width > 32:
                x = self._down(x, f"conv{width}_down")
            for i in range(1, units + 1):
                x = F.relu(self._branch(x, f"conv{width}_{i}", 1) + x)
        x = self._down(x, "conv256_down_out")
        return x.mean(dim=(2, 3)) @ self.weights["fc"]

    def _conv(self, x: Tensor, name: str, stride: int, padding: int) -> Tensor:
        p = self.weights
        x = F.conv2d(x, _filters(p[f"{name}/conv/filters"]), p[f"{name}/conv/bias"], stride, padding)
        return x * p[f"{name}/scale/weights"][:, None, None] + p[f"{name}/scale/biases"][:, None, None]

    def _branch(self, x: Tensor, name: str, stride: int) -> Tensor:
        x = F.relu(self._conv(x, f"{name}/conv1", stride, 1 if stride == 1 else 0))
        return self._conv(x, f"{name}/conv2", 1, 1)

    def _down(self, x: Tensor, name: str) -> Tensor:
        branch, shortcut = self._branch(x, name, 2), F.avg_pool2d(x, 2)
        missing = shortcut.shape[-1] - branch.shape[-1]
        branch = F.pad(branch, (0, missing, 0, missing))
        return F.relu(branch + F.pad(shortcut, (0, 0, 0, 0, 0, branch.shape[1] - shortcut.shape[1])))


def load_weights(folder: Path, name: str) -> Weights:
    """The weights `NAME-weights_manifest.json` describes; quantised ones are scaled back to float32.

    Raises:
        BadFile: the files are not there, or not what they should be.
    """
    manifest = folder / f"{name}-weights_manifest.json"
    if not manifest.is_file():
        raise BadFile(f"there is no file {manifest}; {WHERE}")
    try:
        weights: Weights = {}
        for group in json.loads(manifest.read_text(encoding="utf-8")):
            # The file names only: a manifest must not reach out of its folder.
            raw = b"".join((folder / Path(path).name).read_bytes() for path in group["paths"])
            weights |= _unpacked(raw, group["weights"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise BadFile(f"{manifest} or its weights cannot be read ({problem}); {WHERE}") from problem
    return weights


def _unpacked(raw: bytes, entries: list[dict]) -> Weights:
    weights, start = {}, 0
    for entry in entries:
        quantization = entry.get("quantization")
        kind = str(quantization["dtype"] if quantization else entry["dtype"])
        if kind not in DTYPES:
            raise ValueError(f"{entry['name']} is of an unknown type {kind}")
        count = int(np.prod(entry["shape"], dtype=int))
        values = np.frombuffer(raw, kind, count, start)
        start += values.nbytes
        scaled = values.astype(np.float32)
        if quantization:
            scaled = scaled * np.float32(quantization["scale"]) + np.float32(quantization["min"])
        weights[entry["name"]] = torch.from_numpy(scaled.reshape(entry["shape"]))
    if start != len(raw):
        raise ValueError(f"the weights have {len(raw)} bytes, but {start} are described")
    return weights


def _prepared(faces: Tensor, side: int) -> Tensor:
    antialias = faces.shape[-1] > side
    faces = F.interpolate(faces, size=(side, side), mode="bilinear", antialias=antialias, align_corners=False)
    return faces - torch.tensor(MEAN_COLOUR).view(1, 3, 1, 1) / 255


def _padded(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Padding as TensorFlow's "same": the odd pixel goes to the right and below."""
    height, width = ((-(-side // stride) - 1) * stride + kernel - side for side in x.shape[-2:])
    return F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))


def _filters(weights: Tensor) -> Tensor:
    """A kernel [h,w,in,out] in PyTorch's order."""
    return weights.permute(3, 2, 0, 1)
