"""`make serve`: the real ComfyUI with the pack in it, left open, with the example workflows and their pictures."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import webbrowser

from tools.comfyui import example
from tools.comfyui.server import Server, copy_into, prepare_base
from tools.demo import BASE, end_in_order
from tools.host import HostError

PACK_NAME = "comfy_ecgan"


def serve(port: int, open_browser: bool) -> int:
    """Serve until the server ends or the person at the terminal does; the server's exit code."""
    prepare_base(BASE, pack_name=PACK_NAME)
    example.prepare_inputs(BASE / "input")
    examples = sorted(example.UI_WORKFLOW.parent.glob("*.json"))
    copy_into(BASE / "user" / "default" / "workflows", *examples)
    print("Starting ComfyUI …", flush=True)
    with Server(BASE, port=port) as server:
        page = f"{server.url}/?template={example.NAME}&source={PACK_NAME}"
        print(f"Open {page}")
        print(f"All examples are among your workflows (press W). The log is {server.log}. Ctrl-C ends it.", flush=True)
        if open_browser and has_display():
            webbrowser.open(page)
        code = server.wait()
        print(server.tail(), file=sys.stderr)
        return code


def has_display() -> bool:
    """Whether opening a browser would show one, and not start a text browser in this terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def main() -> int:
    parser = argparse.ArgumentParser(description="ComfyUI with the pack in it, on this machine only.")
    parser.add_argument("--port", type=int, default=8188, help="used if it is free (default: 8188)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, end_in_order)
    try:
        return serve(arguments.port, not arguments.no_browser)
    except HostError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 0


if __name__ == "__main__":
    sys.exit(main())
