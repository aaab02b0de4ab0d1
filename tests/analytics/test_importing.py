"""Importing: analytics is light until it is asked."""

from __future__ import annotations

import subprocess
import sys

import sojourn.analytics as analytics


def test_importing_loads_neither_numpy_nor_duckdb() -> None:
    """A notebook starts at once; so does the help of the command line."""
    code = "import sys, sojourn.analytics; print({'numpy', 'duckdb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_every_public_name_is_there() -> None:
    """A name that is listed and cannot be loaded is found by whoever uses it, which is late."""
    assert [name for name in analytics.__all__ if getattr(analytics, name, None) is None] == []
    assert set(analytics.__all__) <= set(dir(analytics))
