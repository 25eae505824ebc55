"""`make demo`: the example workflow through a real ComfyUI, on every example picture, the slider in several places.

Writes each picture and one contact sheet to `output/demo/`.
"""

from __future__ import annotations

import io
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tools.comfyui import example
from tools.comfyui.client import Run, RunError
from tools.comfyui.server import Server, prepare_base
from tools.gallery.contact_sheet import Row, contact_sheet
from tools.host import ROOT, HostError

BASE = ROOT / ".host"
OUTPUT = ROOT / "output" / "demo"
STRENGTHS = (-1.0, 0.5, 1.0, 1.5)


@dataclass
class Progress:
    """Says on the terminal what the server is doing: one line a run on a terminal, one line a node elsewhere."""

    label: str
    prompt: dict[str, dict[str, Any]]
    live: bool = sys.stdout.isatty()

    def __call__(self, kind: str, data: dict[str, Any]) -> None:
        node = self.prompt.get(str(data.get("node")))
        if kind == "executing" and node:
            self._say(node["class_type"], end="\n")
        elif kind == "progress" and node and self.live:
            done = int(20 * data["value"] / max(1, data["max"]))
            self._say(f"{node['class_type']} [{'#' * done}{'.' * (20 - done)}] {data['value']}/{data['max']}", end="")

    def _say(self, text: str, end: str) -> None:
        line = f"  {self.label}: {text}"
        print(f"\r{line:<78}" if self.live else line, end="" if self.live else end, flush=True)

    def finish(self, seconds: float) -> None:
        self._say(f"done in {seconds:.1f} s", end="\n")
        if self.live:
            print(flush=True)


def demo(base: Path = BASE, output: Path = OUTPUT) -> Path:
    """Run the demo; returns the contact sheet's path.

    Raises:
        HostError: the server does not start; with the end of its log.
        RunError: the workflow does not run; with the end of the log, the node and the reason.
    """
    prepare_base(base)
    names = example.prepare_inputs(base / "input")
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    print("Starting ComfyUI …", flush=True)
    started = time.monotonic()
    with Server(base) as server:
        print(f"ComfyUI is up at {server.url} after {time.monotonic() - started:.1f} s.", flush=True)
        try:
            rows = [_complete_and_shift(server, name, base / "input" / name, output) for name in names]
        except RunError as error:
            raise RunError(f"{server.tail()}\n{error}") from error
    sheet = output / "contact-sheet.png"
    contact_sheet(rows).save(sheet)
    return sheet


def _complete_and_shift(server: Server, name: str, picture: Path, output: Path) -> Row:
    """The example workflow on one picture: its completion, and a shift for each strength."""
    prompt = example.with_inputs(example.load_prompt(), "LoadImage", image=name)
    row = Row(Path(name).stem, Image.open(picture))
    for strength in STRENGTHS:
        shifted = example.with_inputs(prompt, "EmotionShift", strength=strength)
        progress = Progress(f"{name}, shift {strength:+.1f}", shifted)
        started = time.monotonic()
        run = server.client.run(shifted, on_event=progress)
        progress.finish(time.monotonic() - started)
        for node_id in picture_nodes(shifted, run):
            moved = example.depends_on(shifted, node_id, "EmotionShift")
            if not moved and strength != STRENGTHS[0]:
                continue  # the slider does not change it: the first run has shown it
            label = f"shift {strength:+.1f}" if moved else "completed"
            for index, reference in enumerate(run.images(node_id)):
                image = Image.open(io.BytesIO(server.client.image(reference))).convert("RGB")
                number = f"-{index}" if index else ""
                image.save(output / f"{row.title}-{label.replace(' ', '')}{number}.png")
                row.cells.append((label, image))
    return row


def picture_nodes(prompt: dict[str, dict[str, Any]], run: Run) -> list[str]:
    """The nodes whose pictures to show, completions before shifts: those that save, and those that only show."""
    showing = [node_id for node_id in run.outputs if run.images(node_id)]
    savers = [node_id for node_id in showing if prompt[node_id]["class_type"] in ("SaveImage", "PreviewImage")]
    saved = {source for node_id in savers for source, _ in example.links(prompt, node_id)}
    nodes = [node_id for node_id in showing if node_id not in saved and prompt[node_id]["class_type"] != "LoadImage"]
    return sorted(nodes, key=lambda node_id: (example.depends_on(prompt, node_id, "EmotionShift"), node_id))


def end_in_order(*_: object) -> None:
    """For SIGTERM: unwinds the stack, so that the server is stopped."""
    raise SystemExit(143)


def main() -> int:
    signal.signal(signal.SIGTERM, end_in_order)
    try:
        sheet = demo()
    except (HostError, RunError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    print(f"Wrote {len(list(sheet.parent.iterdir()))} files; look at {sheet.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
