"""One shareable file: the networks' weights, their config, the emotions and the card in a single safetensors file.

    ecgan_format   "1"
    config         JSON {"encoder": {…}, "generator": {…}, "discriminator": {…}}
    emotions       JSON {"names": […], "neutral": "…"}
    card           text: what it was made from, what it can do, its licence
    origin         "NAME (FINGERPRINT)" of the checkpoint that it was fine-tuned from, if it was
    digest         of all its numbers (`tensors.write_tensors`); older files have none

Tensors are called encoder.*, generator.* and discriminator.*. The other form is diffusers' folder,
`ECGANPipeline.save_pretrained` and `from_pretrained`. Importing this module does not import diffusers.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ..emotions.sets import EmotionSet
from .header import FLOATS, shown
from .tensors import BadFile, Header, must_be_finite, read_header, read_tensors, write_tensors

if TYPE_CHECKING:
    from ..pipeline import ECGANPipeline

SMALLEST_SIDE, LARGEST_SIDE = 8, 2048  # of the frames that networks are built for
FORMAT_VERSION = 1
NETWORKS = ("encoder", "generator", "discriminator")
KIND = "an EC-GAN checkpoint"


class CheckpointError(BadFile):
    """A file cannot be loaded as a checkpoint; the text is one sentence that says why and what to do."""


@dataclass(frozen=True)
class CheckpointInfo:
    """What a checkpoint says about itself, without its weights."""

    emotions: tuple[str, ...]
    neutral: str
    config: dict[str, dict]
    card: str
    format_version: int
    parameters: int
    origin: str = ""

    @property
    def image_size(self) -> int:
        """S, the side of the model's frame."""
        return self.config["encoder"]["image_size"]


def inspect_checkpoint(path: str | os.PathLike) -> CheckpointInfo:
    """Read a checkpoint's header and nothing else; raises `CheckpointError` if `path` is none."""
    return _describe(path, read_header(path, KIND, CheckpointError))


def _describe(path: str | os.PathLike, header: Header) -> CheckpointInfo:
    metadata = header.metadata
    if "ecgan_format" not in metadata:
        raise CheckpointError(f"{path} is not {KIND}: it is a safetensors file of something else")
    version = metadata["ecgan_format"]
    if not version.isdecimal() or len(version) > 9:  # int() refuses thousands of digits with an error of its own
        raise CheckpointError(
            f"{path} is not {KIND} that can be read: its format version is {version[:20]!r}, not a number"
        )
    if int(version) > FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has checkpoint format {version}, and this version reads up to {FORMAT_VERSION}; update the pack"
        )
    try:
        config = json.loads(metadata["config"])
        emotions = json.loads(metadata["emotions"])
        known = EmotionSet(tuple(emotions["names"]), emotions["neutral"])
        config = {name: dict(config[name]) for name in NETWORKS}
        _must_be_whole(config)
    except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as problem:
        raise CheckpointError(
            f"{path} is a damaged checkpoint: its config or emotions cannot be read ({problem}); download it again"
        ) from problem
    parameters = sum(torch.Size(shape).numel() for shape in header.shapes.values())
    card, origin = metadata.get("card", ""), metadata.get("origin", "")
    return CheckpointInfo(known.names, known.neutral, config, card, int(version), parameters, origin)


def _must_be_whole(config: dict[str, Any]) -> None:
    """Raise ValueError unless all networks that say the side of a face say the same, and one that faces have."""
    sides = [network["image_size"] for network in config.values() if "image_size" in network]
    side = config["encoder"]["image_size"]
    if type(side) is not int or not SMALLEST_SIDE <= side <= LARGEST_SIDE or any(one != side for one in sides):
        raise ValueError(f"image_size is {' and '.join(repr(one)[:20] for one in sides)}")


def load_checkpoint(path: str | os.PathLike, dtype: torch.dtype = torch.float32) -> ECGANPipeline:
    """The pipeline of a checkpoint, on the CPU in `dtype`, ready for inference.

    The networks are built without memory, held against the header, and only then are the weights read.

    Raises:
        CheckpointError: the file is missing, no checkpoint, of a newer format, or its tensors do not fit its config.
    """
    from ..pipeline import ECGANPipeline

    header = read_header(path, KIND, CheckpointError)
    info = _describe(path, header)
    networks = _empty_networks(path, header, info)
    _compare(path, networks, header)
    tensors = read_tensors(path, KIND, CheckpointError, header)
    must_be_finite(tensors, path, KIND, CheckpointError)
    for name, network in networks.items():
        weights = {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
        network.load_state_dict({key: _cast(value, dtype) for key, value in weights.items()}, assign=True)
        network.eval()
    try:
        return ECGANPipeline(**networks, emotions=list(info.emotions), neutral=info.neutral)
    except ValueError as problem:
        raise CheckpointError(f"{path} is a damaged checkpoint: {problem}; download it again") from problem


def _empty_networks(path: str | os.PathLike, header: Header, info: CheckpointInfo) -> dict[str, Any]:
    """The three networks of a config on the meta device: shapes, no memory."""
    from ..networks.discriminator import Discriminator
    from ..networks.encoder import Encoder
    from ..networks.generator import Generator

    classes = dict(zip(NETWORKS, (Encoder, Generator, Discriminator), strict=True))
    try:
        for config in info.config.values():
            for key, value in config.items():  # even without memory, a network of a million layers takes for ever
                if isinstance(value, list) and len(value) > len(header.shapes):
                    raise ValueError(f"{key} has {len(value)} entries")
                if key in ("deeper", "grown") and not (type(value) is int and 0 <= value <= len(header.shapes)):
                    raise ValueError(f"{key} is {value!r}")
        with torch.device("meta"):
            return {name: cls.from_config(info.config[name]) for name, cls in classes.items()}
    except (TypeError, ValueError, KeyError, RuntimeError, ArithmeticError) as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise CheckpointError(
            f"{path} describes networks that this version cannot build ({reason}); update the pack or download it again"
        ) from problem


def _compare(path: str | os.PathLike, networks: dict[str, Any], header: Header) -> None:
    """Raise `CheckpointError` unless the header has exactly the networks' tensors."""
    needed = {
        f"{name}.{key}": (tuple(tensor.shape), tensor.is_floating_point())
        for name, network in networks.items()
        for key, tensor in network.state_dict().items()
    }
    for name, (shape, is_float) in needed.items():
        if name not in header.shapes:
            raise CheckpointError(f"{path} is a damaged checkpoint: the tensor {name} is missing; download it again")
        if header.shapes[name] != shape:
            raise CheckpointError(
                f"{path} is a damaged checkpoint: the tensor {name} has the shape {list(header.shapes[name])} where "
                f"its config asks for {list(shape)}; download it again"
            )
        if (header.dtypes[name] in FLOATS) != is_float:
            raise CheckpointError(
                f"{path} is a damaged checkpoint: the tensor {name} is of the type {header.dtypes[name]}, which its "
                f"network cannot use; download it again"
            )
    if surplus := sorted(header.shapes.keys() - needed.keys()):
        raise CheckpointError(
            f"{path} has {len(surplus)} tensors that no network of its config has, such as {shown(surplus[0])}; "
            f"update the pack or download it again"
        )


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _folded_state(network: nn.Module) -> dict[str, Tensor]:
    """The state of a network as if its spectral-normed weights were plain ones.

    Not by folding a deep copy: torch's copies of a parametrized module share its class, so `remove_parametrizations` on
    the copy takes the weight from the original.
    """
    state = dict(network.state_dict())
    for name, module in network.named_modules():
        if parametrize.is_parametrized(module, "weight"):
            state = {key: value for key, value in state.items() if not key.startswith(f"{name}.parametrizations.")}
            state[f"{name}.weight"] = module.weight.detach()
    return state


def save_checkpoint(
    pipeline: ECGANPipeline,
    path: str | os.PathLike,
    card: str = "",
    dtype: torch.dtype = torch.float16,
    origin: str = "",
) -> None:
    """Write a pipeline as one file, in one step; spectral norm is folded into plain weights, `pipeline` stays as it is.

    Args:
        pipeline: what to save; to share a training's best, with its EMA weights.
        path: ends in .safetensors.
        card: text that travels with it (see `inspect_checkpoint`).
        dtype: of the floating-point tensors in the file: half the size, or every bit.
        origin: name and fingerprint of the checkpoint that it was fine-tuned from.
    """
    from ..pipeline import evaluating

    config: dict[str, dict] = {}
    tensors: dict[str, Tensor] = {}
    for name in NETWORKS:
        network = getattr(pipeline, name)
        config[name] = {key: value for key, value in network.config.items() if not key.startswith("_")}
        if "spectral_norm" in config[name]:
            config[name]["spectral_norm"] = False
        with evaluating(network):
            state = _folded_state(network)
        tensors |= {f"{name}.{key}": _cast(value, dtype) for key, value in state.items()}
    emotions = {"names": list(pipeline.emotion_set.names), "neutral": pipeline.emotion_set.neutral}
    metadata = {
        "ecgan_format": str(FORMAT_VERSION),
        "config": json.dumps(config),
        "emotions": json.dumps(emotions, ensure_ascii=False),
        "card": card,
    }
    if origin:
        metadata["origin"] = origin
    write_tensors(path, tensors, metadata)
