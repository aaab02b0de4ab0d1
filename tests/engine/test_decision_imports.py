"""What a decision needs: no library of statistics, nor anything else that takes seconds to load."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {
    "confseq", "duckdb", "econml", "gbstats", "lifelines", "networkx", "pandas", "polars", "pyarrow",
    "scipy", "sklearn", "statsmodels", "tea_tasting", "torch", "vowpalwabbit",
}  # fmt: skip
ASKED = ("sojourn.server.ofrep", "sojourn.engine.decisions")
"""From the request to the answer."""
BESIDE = ("sojourn.runtime.deciding", "sojourn.runtime.people", "sojourn.runtime.exposures")
"""What finds people runs beside the engine, which learns forecasts with numpy."""


def loaded_by(*modules: str) -> set[str]:
    """Return the first names of all modules that a fresh interpreter has loaded after these."""
    program = f"import sys, json, {', '.join(modules)}; print(json.dumps(sorted(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(told.stdout)}


def test_no_library_of_statistics_is_loaded_on_the_way_of_a_decision() -> None:
    """From the request to the answer."""
    assert loaded_by(*ASKED, *BESIDE) & HEAVY == set()
    assert "numpy" not in loaded_by(*ASKED)


def test_the_package_itself_loads_nothing() -> None:
    """An import takes no time that anybody notices: seen by what it loads, for clocks differ."""
    assert loaded_by("sojourn") - loaded_by("sys") == {"sojourn"}
