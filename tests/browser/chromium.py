"""The system's Chromium: where it is, and what to do where there is none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PATIENCE_MS = 20_000
"""How long a page may take; two processors have much to do."""
MISSING = (
    "The browser tests need Chromium and found none. Install it (Debian, Ubuntu: apt-get install chromium) or name one "
    "in CHROMIUM."
)


def find_chromium() -> str | None:
    """The program that CHROMIUM names, or the first of the usual names on the path."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    return next((found for found in map(shutil.which, NAMES) if found), None)


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """One Chromium without a window.

    Without one, the tests that want it are skipped; they fail where CI is "true", where nothing may go untested.

    Playwright runs an event loop in this thread until the end of the block, and Django refuses to query meanwhile:
    what is done in here goes over HTTP.
    """
    program = find_chromium()
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            browser.close()
