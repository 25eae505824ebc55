"""What the pack adds to ComfyUI's start: `python -m benchmarks.measuring.pack_import` prints the seconds.

Each measurement is a fresh Python that has imported ComfyUI and its own nodes, as it has when it comes to custom_nodes;
then the pack is loaded and its schemas are made, as for the page. At most half a second is what we want.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from tools.host import comfyui_dir

ROOT = Path(__file__).resolve().parents[2]

LOAD = """
import sys, time
sys.path.insert(0, {comfyui!r})
from comfy.cli_args import args
args.cpu = True
import asyncio, importlib.util, json
import nodes, folder_paths
from comfy_api.latest import io, ui
before = set(sys.modules)
start = time.perf_counter()
folder = {pack!r}
spec = importlib.util.spec_from_file_location("pack", folder + "/__init__.py")
pack = sys.modules["pack"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)
async def offered():
    return await (await pack.comfy_entrypoint()).get_node_list()
classes = asyncio.run(offered())
loaded = time.perf_counter()
for node in classes:
    node.GET_SCHEMA()
done = time.perf_counter()
packages = sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})
print(json.dumps([loaded - start, done - loaded, len(classes), packages]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measuring.pack_import", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="fresh Pythons to measure in (default 5)")
    arguments = parser.parse_args()
    runs = [once() for _ in range(arguments.runs)]
    _, _, nodes, packages = runs[0]
    loading, schemas = [run[0] for run in runs], [run[1] for run in runs]
    for what, seconds in (("importing the pack", loading), ("its schemas, with the models' emotions", schemas)):
        print(f"{what}: {statistics.median(seconds):.3f} s (median of {len(runs)}, {min(seconds):.3f} at best)")
    print(f"{nodes} nodes; packages that ComfyUI had not loaded itself: {', '.join(packages)}")


def once() -> tuple[float, float, int, list[str]]:
    """Seconds for the import and for the schemas, the number of nodes, and the packages that came with them."""
    code = LOAD.format(comfyui=str(comfyui_dir()), pack=str(ROOT))
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, schemas, nodes, packages = json.loads(answer.stdout.splitlines()[-1])
    return seconds, schemas, nodes, packages


if __name__ == "__main__":
    main()
