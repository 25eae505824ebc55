"""ComfyUI's real page in a real browser, and what it complains about."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tools.comfyui.server import Server

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: see the `dev` extra")

from tools.comfyui.page import browsing, find_browser, open_page

REQUIRED = os.environ.get("ECGAN_REQUIRE_BROWSER") == "1"


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """Closed again at the module's end: while it runs, no other event loop can run in this thread."""
    if find_browser() is None:
        why = "No Chromium was found, so ComfyUI's page is not tested: install one, or set CHROMIUM to its program."
        if REQUIRED:
            pytest.fail(why)
        pytest.skip(why)
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def kept_page(browser, server: Server) -> Iterator:
    """A page and its complaints, for modules whose tests share one: it takes longer to open than most tests to run."""
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints)
    yield page, complaints
    page.close()


@pytest.fixture
def complaints(request) -> list[str]:
    """Errors on the page's console that are not its own known ones; a test ends by looking at them."""
    if not getattr(request.module, "ONE_PAGE", False):
        return []
    _, kept = request.getfixturevalue("kept_page")
    kept.clear()
    return kept


@pytest.fixture
def page(request, browser, server: Server, complaints: list[str]) -> Iterator:
    """A fresh page; in a module with `ONE_PAGE = True` the module's own, with no dialog open."""
    if not getattr(request.module, "ONE_PAGE", False):
        fresh = open_page(browser, server.url, complaints)
        yield fresh
        fresh.close()
        return
    kept, _ = request.getfixturevalue("kept_page")
    for _ in range(3):
        if kept.locator("[role=dialog]").count() == 0:
            break
        kept.keyboard.press("Escape")
        kept.wait_for_timeout(200)
    yield kept
