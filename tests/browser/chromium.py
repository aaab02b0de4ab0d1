"""The browser of the system: none is downloaded; where there is none, a test says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without these it asks its maker's servers for much that no test is about.
QUIET = (
    "--disable-background-networking", "--disable-component-update", "--disable-quic", "--disable-sync",
    "--no-first-run",
)  # fmt: skip


def find_chromium() -> str:
    """Return where the browser is; skip the test, with what to do, where it is not."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium is installed; on Debian: apt install chromium")


@contextmanager
def started() -> Iterator[Browser]:
    """Start the browser without a screen, and end it."""
    # Its sandbox refuses to run as root, as containers do.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*QUIET, *sandbox])
        yield browser
        browser.close()
