"""Lets a torchvision built for CUDA be imported beside a CPU-only torch.

Some package indexes pair the two. torchvision then cannot load its compiled operators, and its import stops at the
first fake kernel it registers for one of them, although ComfyUI uses none. Declaring those operators just before
torchvision is imported is enough; calling one still raises. tools/host.py copies this file into .venv, with a .pth file
that imports it at start-up, only where torchvision fails without it. So it must be cheap: torch is imported when
somebody asks for torchvision, not before.
"""

from __future__ import annotations

import importlib.abc
import sys

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width, "
    "int sampling_ratio, bool aligned) -> Tensor",
)


class DeclareOperators(importlib.abc.MetaPathFinder):
    """Declares the operators at the first search for torchvision, then leaves the search to the finders behind it."""

    library: object = None

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            self._declare()
        return None

    @staticmethod
    def _declare() -> None:
        import torch

        if torch.version.cuda is not None:
            return
        library = torch.library.Library("torchvision", "FRAGMENT")
        for schema in OPERATORS:
            library.define(schema)
        DeclareOperators.library = library  # its declarations vanish with it


sys.meta_path.insert(0, DeclareOperators())
