"""How tests are run: properties have no clock, so a slow machine fails none; folders are in memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.soak import tries

MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 << 30
"""What must be free there: far more than all tests at once lay down."""

settings.register_profile(
    "house",
    deadline=None,
    max_examples=tries(100),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Have the folders of tests in memory: houses wait for the disk at every commit, one after another.

    What is killed there dies as it would on a disk, since the kernel lives on. `--basetemp`, or pytest's own
    PYTEST_DEBUG_TEMPROOT, say another place.
    """
    is_told = config.getoption("basetemp") or "PYTEST_DEBUG_TEMPROOT" in os.environ
    if not is_told and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)
    with suppress(ImportError):  # tests/peers run where nothing of ours logs
        log_plainly()


def log_plainly() -> None:
    """Show what a test logged without the locals of every frame: a picture of them takes half a second."""
    import structlog

    *before, _ = structlog.get_config()["processors"]
    shown = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, shown])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores: some test always waits for a server, a child or a clock."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """Make a folder on a disk, for what is about one."""
    with tempfile.TemporaryDirectory(prefix="sojourn-test-") as place:
        yield Path(place)
