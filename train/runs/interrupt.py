"""Ctrl-C, SIGTERM or the end of the time given as a wish to stop, which training grants between two steps."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType


class StopWish:
    """Inside `with`, the first Ctrl-C or SIGTERM sets `asked`; a second Ctrl-C stops at once.

    While `patient` is False, the first one stops at once too, as everywhere else: there is nothing to save yet.

    Args:
        minutes: after which stopping is wished for as well; None for never.
    """

    def __init__(self, minutes: float | None = None) -> None:
        self.asked = False
        self._end = None if minutes is None else time.monotonic() + 60 * minutes
        self.patient = False
        self._before: dict[signal.Signals, object] = {}

    @property
    def time_is_up(self) -> bool:
        """Whether the minutes are over."""
        return self._end is not None and time.monotonic() >= self._end

    @property
    def minutes_left(self) -> float | None:
        """Until the time is up, 0 from then on; None where there is no end."""
        return None if self._end is None else max(0.0, (self._end - time.monotonic()) / 60)

    def __enter__(self) -> StopWish:
        if threading.current_thread() is threading.main_thread():  # elsewhere, Python does not allow handlers
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._notice)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _notice(self, number: int, _: FrameType | None) -> None:
        # A launcher passes Ctrl-C on as SIGTERM, so that one after the other is not a second wish.
        if not self.patient or (self.asked and number == signal.SIGINT):
            raise KeyboardInterrupt("stopped at once; what was saved before is whole")
        if not self.asked:
            print("stopping: this step, then the state is saved", file=sys.stderr, flush=True)
        self.asked = True
