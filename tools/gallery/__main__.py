"""Write the example workflows: `python -m tools.gallery`.

ComfyUI's own page builds them, so that the files are what a person would have saved. Run it again after a node has got
a new input or the default model another name; then `python -m tools.pictures`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.comfyui import example, page
from tools.comfyui.server import Server, prepare_base
from tools.host import HostError

from . import GALLERY


def write(folder: Path) -> None:
    """Build every example in ComfyUI's page, and write `NAME.json` and `api/NAME.json` into `folder`."""
    with tempfile.TemporaryDirectory() as base:
        prepare_base(Path(base))
        example.prepare_inputs(Path(base) / "input")
        with Server(Path(base)) as server, page.browsing() as browser:
            opened = page.open_page(browser, server.url, complaints=[])
            for workflow in GALLERY:
                form = page.build(opened, workflow)
                _write_json(folder / f"{workflow.name}.json", _tidied(form))
                page.load(opened, _tidied(form), workflow.name)
                _write_json(folder / "api" / f"{workflow.name}.json", page.api_form(opened))
                print(f"{workflow.name}: {len(workflow.nodes)} nodes", flush=True)


def _tidied(form: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from one run to the next."""
    form["id"] = "00000000-0000-0000-0000-000000000000"
    form["extra"] = {"ds": {"scale": 0.7, "offset": [90, 190]}}  # right of and below the page's own bars
    return form


def _write_json(path: Path, form: dict[str, Any]) -> None:
    path.write_text(json.dumps(form, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> int:
    try:
        write(example.UI_WORKFLOW.parent)
    except HostError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
