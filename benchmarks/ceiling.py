"""The floor that no program gets below here: operations counted, against the machine's own best in this run.

`python -m benchmarks.ceiling` prints what this machine reaches in large matrix products and convolutions, and what
share of the latter E and G reach at 256 pixels. PyTorch counts the operations: convolutions, products and attention.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ecgan_core import DEFAULT_CHECKPOINT

from .measuring import ours
from .measuring.measure import Case, Part, Settings, Table, half, interleaved, run_alone, seconds_of, spoken

CONVOLUTIONS = ((64, 128, 8), (128, 64, 8), (256, 32, 8), (256, 64, 8))  # channels, side, pictures
ON_A_CARD = ((256, 128, 32), (512, 64, 32), (512, 128, 32))
MATRICES, MATRICES_ON_A_CARD = (1024, 2048), (4096, 8192)
FACES = (1, 8)


def operations(case: Case) -> int:
    """Floating-point operations of one call, a multiplication with its addition being two."""
    with FlopCounterMode(display=False) as counter:
        case()
    return counter.get_total_flops()


def precisions(device: torch.device) -> list[torch.dtype]:
    small = half(device)
    return [torch.float32] if small is None else [torch.float32, small]


@lru_cache(maxsize=1)
def ceilings(settings: Settings) -> dict[tuple[str, torch.dtype], float]:
    """The most operations a second, by ("matmul" or "convolution", precision): the best call of the best shape."""
    found: dict[tuple[str, torch.dtype], float] = {}
    for dtype in precisions(settings.device):
        for kind, case in shapes(dtype, settings):
            seconds_of(case, settings)
            best = min(seconds_of(case, settings) for _ in range(settings.rounds(5)))
            found[kind, dtype] = max(found.get((kind, dtype), 0.0), operations(case) / best)
    return found


def shapes(dtype: torch.dtype, settings: Settings) -> Iterator[tuple[str, Case]]:
    """Products and 3×3 convolutions of the sizes that machines are good at, one at a time."""
    device, on_card = settings.device, settings.device.type == "cuda"
    matrices, convolutions = (MATRICES_ON_A_CARD, ON_A_CARD) if on_card else (MATRICES, CONVOLUTIONS)
    for side in matrices[: 1 if settings.quick else None]:
        a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
        yield "matmul", product(a, b)
    for channels, side, pictures in convolutions[: 1 if settings.quick else None]:
        layer = torch.nn.Conv2d(channels, channels, 3, padding=1, device=device, dtype=dtype)
        x = torch.randn(pictures, channels, side, side, device=device, dtype=dtype)
        yield "convolution", convolution(layer, x)


def product(a: Tensor, b: Tensor) -> Case:
    return torch.inference_mode()(lambda: a @ b)


def convolution(layer: torch.nn.Conv2d, x: Tensor) -> Case:
    layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
    return torch.inference_mode()(lambda: layer(x))


def measure(settings: Settings) -> Part:
    limits = ceilings(settings)
    part = Part()
    rows = []
    for dtype in precisions(settings.device):
        gigas = [limits[kind, dtype] / 1e9 for kind in ("matmul", "convolution")]
        rows.append([spoken(dtype), *(f"{giga:,.0f}" for giga in gigas)])
        part.figures |= {f"ceiling.convolution.{spoken(dtype)}": gigas[1], f"ceiling.matmul.{spoken(dtype)}": gigas[0]}
    title = "The machine's ceiling, thousand million operations a second"
    part.tables.append(Table(title, ["precision", "matrix products", "3×3 convolutions"], rows))

    part.tables.append(_networks(settings, part.figures))
    return part


def _networks(settings: Settings, figures: dict[str, float]) -> Table:
    """E's and G's operations, time and share of the ceiling; figures are named share.NETWORK.FACES and, in the node's
    own precision, share.NETWORK for one face."""
    limits, rows = ceilings(settings), []
    counts: dict[tuple[str, int], int] = {}  # in float32: a CPU's attention in bfloat16 is not counted
    for dtype in dict.fromkeys([*precisions(settings.device), ours.default_precision(settings.device)]):
        pipeline = ours.load(DEFAULT_CHECKPOINT, settings.device, dtype)
        for faces in FACES[: 1 if settings.quick else None]:
            face, hole = ours.frames(faces, pipeline.frame_size, settings.device)
            latent = pipeline.complete(face, hole, emotion=ours.some_emotion(pipeline), seeds=range(faces))
            visible = (latent.face * (1 - latent.hole)).to(settings.device, dtype)
            hole, code, z = (t.to(settings.device, dtype) for t in (latent.hole, latent.code, latent.z))
            features = tuple(feature.to(settings.device, dtype) for feature in latent.features)
            cases: dict[str, Case] = {
                "E": _without_gradients(pipeline.encoder, visible, hole),
                "G": _without_gradients(pipeline.generator, z, code, features, visible, hole),
            }
            found = interleaved(cases, settings.rounds(5), settings)
            for name, case in cases.items():
                count, best = counts.setdefault((name, faces), operations(case)), min(found[name])
                share = count / best / limits.get(("convolution", dtype), float("nan"))
                figures[f"share.{name}.{spoken(dtype)}.{faces}"] = share
                if faces == 1 and dtype == ours.default_precision(settings.device):
                    figures[f"share.{name}"] = share
                cells = [f"{count / 1e9:.2f}", f"{1000 * best:.3g} ms", f"{count / best / 1e9:,.0f}", f"{share:.0%}"]
                rows.append([name, str(faces), spoken(dtype), *cells])
    columns = ["network", "faces", "precision", "10⁹ operations", "time", "10⁹ a second", "share of the ceiling"]
    note = "The ceiling is that of convolutions in the same precision."
    return Table("E and G of the bundled model against the ceiling", columns, rows, note)


def _without_gradients(network, *inputs) -> Case:
    return torch.no_grad()(lambda: network(*inputs))


if __name__ == "__main__":
    run_alone(measure, "ceiling", __doc__)
