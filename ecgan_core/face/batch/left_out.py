"""The pictures of a batch in which nothing can be done: what becomes of them, and what is said about them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from ...completion import must_be_no_face_choice
from ..choosing import NothingToDo

OnNote = Callable[[str], None]
note_in_log: OnNote = logging.getLogger(__name__).warning

MOST_REASONS = 3  # that are told; of more it is said that there are more


class LeftOut:
    """The pictures that are left out of what is done to a batch; or the error that says why they cannot be.

    Args:
        count: of the pictures.
        on_no_face: see `Completion`.
        what: is said of them: "is left as it is" and "are left as they are".
    """

    def __init__(self, count: int, on_no_face: str, what: tuple[str, str]):
        must_be_no_face_choice(on_no_face)
        self.count, self.on_no_face, self.what = count, on_no_face, what
        self.problems: dict[int, NothingToDo] = {}

    def add(self, number: int, problem: NothingToDo) -> None:
        """Leave out a picture, counted from 0; raises the problem where it is to be an error."""
        if self.on_no_face == "error" or (self.on_no_face == "auto" and self.count == 1):
            raise problem.of_picture(number + 1, self.count) from None
        self.problems[number] = problem

    def say(self, on_note: OnNote) -> None:
        """Say which pictures are left out and why, a sentence for each reason; raises the first if all of them are."""
        if self.on_no_face == "auto" and len(self.problems) == self.count:
            first = self.problems[min(self.problems)]
            raise first.of_all(self.count)
        reasons: dict[tuple[str, str], list[int]] = {}
        for number, problem in sorted(self.problems.items()):
            reasons.setdefault((problem.reason, problem.advice), []).append(number)
        for (reason, advice), numbers in list(reasons.items())[:MOST_REASONS]:
            on_note(f"{named(numbers, self.count)} {self._what(numbers)}: {reason}; {advice}")
        if rest := [number for numbers in list(reasons.values())[MOST_REASONS:] for number in numbers]:
            on_note(f"{named(rest, self.count)} {self._what(rest)} for other reasons; try one alone to see its own")

    def _what(self, numbers: list[int]) -> str:
        return self.what[len(numbers) > 1]


def named(numbers: Iterable[int], count: int) -> str:
    """Which of `count` pictures, for a sentence: "3 of 12 pictures (1, 4–5)"; the numbers count from 0."""
    if count == 1:
        return "the picture"
    runs: list[list[int]] = []  # from, up to but without
    for number in sorted(numbers):
        if runs and number == runs[-1][1]:
            runs[-1][1] += 1
        else:
            runs.append([number, number + 1])
    which = ", ".join(str(stop) if stop == start + 1 else f"{start + 1}–{stop}" for start, stop in runs)
    return f"{sum(stop - start for start, stop in runs)} of {count} pictures ({which})"
