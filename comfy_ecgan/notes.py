"""What a node did otherwise than asked for, in sentences: under the node, and in the log for those without a page."""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger(__name__)

KEY = "ecgan_notes"  # in what the page is told when a node is done: `web/js/results.js` shows them


class Notes:
    """The notes of one execution; call it with a sentence to add one."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def __call__(self, sentence: str) -> None:
        logger.warning("EC-GAN: %s", sentence)
        self.sentences.append(sentence)

    def beside(self, first: Any, *others: Any) -> dict[str, Any]:
        """What the page is told: what a node shows, one or several preview images of ComfyUI's, and the notes.

        They are there also if there are none: of several executions the host joins what the first one has.
        """
        images = [image for shown in (first, *others) for image in shown.as_dict()["images"]]
        return {**first.as_dict(), "images": images, KEY: self.sentences}
