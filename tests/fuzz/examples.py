"""How many examples a fuzz test gets, and how many really ran.

In CI they are always the same ones, so that a red test is red again. `ECGAN_FUZZ=20000` asks for about that many, new
ones each time; what fails is printed with the `@reproduce_failure` that repeats it.
"""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings

LEAST = 2000  # examples of the whole suite, at least
WANTED = int(os.environ.get("ECGAN_FUZZ", LEAST))

DUE: dict[str, int] = {}  # test → examples in CI, of all modules that were imported
RAN: Counter[str] = Counter()

PROFILE = settings(
    deadline=None,  # the first example of a module loads ComfyUI or a model
    database=None,
    derandomize=WANTED <= LEAST,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def fuzz(examples: int, **strategies: Any) -> Callable:
    """`given(**strategies)` with so many examples in CI, counted."""

    def decorate(test: Callable) -> Callable:
        name = f"{test.__module__}.{test.__qualname__}"
        DUE[name] = examples

        @functools.wraps(test)
        def counted(*args: Any, **kwargs: Any) -> None:
            RAN[name] += 1
            test(*args, **kwargs)

        decorated = given(**strategies)(counted)
        decorated.examples_due = (name, examples)
        return settings(PROFILE, max_examples=-(-examples * max(WANTED, LEAST) // LEAST))(decorated)

    return decorate
