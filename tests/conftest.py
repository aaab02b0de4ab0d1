"""How tests are run: properties have no clock, so a slow machine fails none; folders are in memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
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

# What a test logs is shown where it fails; as a picture with the locals of every frame it takes seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_configure(config: pytest.Config) -> None:
    """Have the folders of tests in memory: a third of the time went to waiting for a disk.

    What is killed there dies as it would on a disk, since the kernel lives on. `--basetemp`, or pytest's own
    PYTEST_DEBUG_TEMPROOT, say another place.
    """
    is_told = config.getoption("basetemp") or "PYTEST_DEBUG_TEMPROOT" in os.environ
    if not is_told and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """Make a folder on a disk, for what is about one."""
    with tempfile.TemporaryDirectory(prefix="sojourn-test-") as place:
        yield Path(place)
