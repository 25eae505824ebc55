"""What the pack uses of ComfyUI is in the ComfyUI that the tests run in, under the names that are used."""

from __future__ import annotations

import importlib
import inspect

import pytest

from tests.test_comfyui_keywords import ALLOWED, LATEST, USED

CALLED = {name: parameters for name, parameters in USED.items() if parameters is not None}
BUILT = {f"{LATEST}io.{name}": keywords for name, keywords in ALLOWED.items() if keywords}


def found(name: str):
    """Modules as far as there are any, and attributes from there on."""
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            thing = getattr(thing, part)
        return thing
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("name", sorted(USED))
def test_it_is_there(comfyui, name):
    assert found(name) is not None


@pytest.mark.parametrize("name", sorted(CALLED))
def test_its_parameters_are_in_their_places(comfyui, name):
    parameters = list(inspect.signature(found(name)).parameters)
    assert parameters[: len(CALLED[name])] == list(CALLED[name])


@pytest.mark.parametrize("name", sorted(BUILT))
def test_it_takes_the_keywords(comfyui, name):
    assert BUILT[name] <= set(inspect.signature(found(name)).parameters)
