"""ComfyUI's door to the pack.

The folder may have any name inside `custom_nodes`, so `comfy_ecgan` and `ecgan_core` are not found by that folder: they
are made importable here, each under its one own name. The pack's root never goes on `sys.path`, where our `nodes`
would stand in the way of ComfyUI's. ComfyUI itself is first imported by `comfy_entrypoint`: this file can be imported
anywhere, and costs nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from pathlib import Path

logger = logging.getLogger("comfy_ecgan")

ROOT = Path(__file__).resolve().parent
# Each bundled package, and a module by which we know a package of that name for one of ours.
BUNDLED = {"ecgan_core": "files/checkpoint.py", "comfy_ecgan": "sockets.py"}

WEB_DIRECTORY = "./comfy_ecgan/web"


def _is_ours(name: str, folders: list[str]) -> bool:
    return any((Path(folder) / BUNDLED[name]).is_file() for folder in folders)


def make_importable(name: str) -> None:
    """Make the bundled package `name` importable, unless one of ours already is (installed by pip, or from a checkout).

    Raises:
        ImportError: a package of somebody else has that name.
    """
    bundled = ROOT / name
    found = importlib.util.find_spec(name)
    folders = list(found.submodule_search_locations or []) if found else []
    if _is_ours(name, folders):
        if not any(Path(folder).resolve() == bundled for folder in folders):
            logger.info("EC-GAN: using the installed %s in %s, not the copy in %s", name, folders[0], bundled)
        return
    # The pack's own folder may be called comfy_ecgan and be in sight (test runners put its parent on sys.path); that
    # is the door, not the package behind it.
    if found and not any(Path(folder).resolve() == ROOT for folder in folders):
        raise ImportError(
            f"EC-GAN cannot load: Python already finds another package called '{name}' at {found.origin or folders}; "
            f"remove or rename that one and restart ComfyUI."
        )
    spec = importlib.util.spec_from_file_location(
        name, bundled / "__init__.py", submodule_search_locations=[str(bundled)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


for _name in BUNDLED:
    make_importable(_name)


async def comfy_entrypoint():
    """What ComfyUI calls to get the pack's nodes."""
    return importlib.import_module(".nodes", __name__).ECGANExtension()
