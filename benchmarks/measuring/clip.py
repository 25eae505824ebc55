"""What the frames of a clip take in the nodes: `python -m benchmarks.measuring.clip --frames 120 --size 1280x720`.

Prints for each node how far the process's memory rises above what was there before it (peak), how much of that stays
when it is done (kept), what of that its outputs are, and CPU-seconds of one thread; then the most that the process ever
had, with Python, torch, ComfyUI and the clip. ComfyUI is imported, without its
server, on the CPU; the clip and the model are there before the first node runs. A peak should be at most the outputs
and 300 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.measuring import ours
from benchmarks.measuring.memory import high_water, in_child, peak_megabytes, resident
from tools.host import ROOT, comfyui_dir

MODEL = "ecgan-portraits-256.safetensors"
CPU = torch.device("cpu")
FACE = 0.8  # side of the portrait in the frames, of their height
SWAY = 40  # pixels by which it moves


def clip_of(frames: int, width: int, height: int) -> Tensor:
    """An IMAGE [frames,height,width,3]: a portrait that sways before grey."""
    side = round(FACE * height)
    portrait = ours.portrait(side)[0][0].movedim(0, -1)
    clip = torch.full((frames, height, width, 3), 0.5)
    for number, frame in enumerate(clip):
        left, top = (width - side) // 2 + abs(number % (2 * SWAY) - SWAY), (height - side) // 2
        frame[top : top + side, left : left + side] = portrait
    return clip


def measure(frames: int, width: int, height: int, model_name: str, last: str) -> tuple[list[list[str]], float]:
    """A row for each node up to the last (its name, peak, kept, outputs in MB, CPU-seconds), and the most MB of all."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        nodes = _nodes(Path(folder))
        clip = clip_of(frames, width, height)
        [model] = _run(nodes["LoadECGAN"], model=model_name)
        _complete(nodes, model, clip[:1], _run(nodes["ECGANFaceHole"], image=clip[:1], part="lower face")[0])
        rows = [["the clip", "", "", f"{_megabytes([clip]):.0f}", ""]]
        most: list[float] = []
        kept: dict[str, Any] = {"": clip}

        def measured(name: str, node: str, **inputs: Any) -> tuple:
            before, start, outputs = resident(), time.process_time(), []
            peak = peak_megabytes(lambda: outputs.append(_run(nodes[node], **inputs)), CPU)
            seconds = time.process_time() - start
            most.append(high_water())  # since `peak_megabytes` began
            size = _megabytes(new_tensors(outputs, kept))
            rows.append([name, f"{peak:.0f}", f"{resident() - before:.0f}", f"{size:.0f}", f"{seconds:.1f}"])
            kept[name] = outputs
            return outputs[0]

        mask = measured("Face Hole", "ECGANFaceHole", image=clip, part="lower face", track=True)[0]
        asked = {"model": model, "image": clip, "mask": mask, "emotion": "neutral", "track": True}
        latent = measured("Complete Masked Face", "MaskedFaceComplete", **asked)[1]
        if last == "shift":
            measured("Shift Emotion", "EmotionShift", model=model, latent=latent, strength=1.0, emotion="happy")
            keyframes = f"0: neutral\n{frames - 1}: happy"
            measured("Emotion Keyframes", "ECGANEmotionKeyframes", model=model, latent=latent, keyframes=keyframes)
    return rows, max(most)


def _complete(nodes: dict[str, Any], model: Any, image: Tensor, mask: Tensor) -> None:
    """Once before all: what is made once is not the clip's."""
    latent = _run(nodes["MaskedFaceComplete"], model=model, image=image, mask=mask)[1]
    _run(nodes["EmotionShift"], model=model, latent=latent, strength=0.5, emotion="happy")


def _nodes(folder: Path) -> dict[str, Any]:
    """Our nodes by id, in a ComfyUI without a server whose temporary files go into a folder."""
    sys.path.insert(0, str(comfyui_dir()))
    from comfy.cli_args import args

    args.cpu = True
    import folder_paths

    folder_paths.set_temp_directory(str(folder))
    spec = importlib.util.spec_from_file_location("pack", ROOT / "__init__.py")
    assert spec
    assert spec.loader
    pack = sys.modules["pack"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)

    async def offered() -> list[Any]:
        return await (await pack.comfy_entrypoint()).get_node_list()

    return {node.GET_SCHEMA().node_id: node for node in asyncio.run(offered())}


def _run(node: Any, **inputs: Any) -> tuple:
    """What a node hands on, with its schema's defaults for what is not given."""
    for slot in node.define_schema().inputs:
        default = getattr(slot, "default", None)
        if slot.id not in inputs and default is not None:
            inputs[slot.id] = default
    return node.execute(**inputs).result


def new_tensors(outputs: object, before: object) -> list[Tensor]:
    """The tensors in some outputs that take memory of their own, which those before do not hold."""
    held = {tensor.untyped_storage().data_ptr() for tensor in _tensors(before, set())}
    new = {tensor.untyped_storage().data_ptr(): tensor for tensor in _tensors(outputs, set())}
    return [tensor for pointer, tensor in new.items() if pointer not in held]


def _tensors(thing: object, seen: set[int]) -> Iterator[Tensor]:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from _tensors(value, seen)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from _tensors(value, seen)
    elif hasattr(thing, "__dict__") and type(thing).__module__.startswith(("ecgan_core", "comfy_ecgan")):
        yield from _tensors(vars(thing), seen)


def _megabytes(tensors: list[Tensor]) -> float:
    return sum(tensor.untyped_storage().nbytes() for tensor in tensors) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measuring.clip", description=__doc__)
    parser.add_argument("--frames", type=int, default=120, help="how many (default 120)")
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="of the frames (default 1280x720)")
    parser.add_argument("--model", default=MODEL, help=f"a bundled model (default {MODEL})")
    parser.add_argument(
        "--last", choices=("complete", "shift"), default="shift", help="complete: without the two nodes that shift"
    )
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.lower().split("x"))
    print(f"{arguments.frames} frames of {width}×{height}, {arguments.model}, MB and CPU-seconds of one thread\n")
    print("| node | peak | kept | its outputs | CPU-seconds |\n|---|---|---|---|---|")
    rows, most = in_child(measure, arguments.frames, width, height, arguments.model, arguments.last)
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(f"\nThe process had at most {most:,.0f} MB.")


if __name__ == "__main__":
    main()
