"""An older release: a copy of the code whose states lack what came last.

Whoever puts more at the end of what is named here takes that out here as well.
"""

from __future__ import annotations

import shutil
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
NOTE = "states without hours"
"""What the copy says when it is loaded."""
_HOURS = (
    '''    hour: int = 0
    """The hour of the log's clock in which it acted last."""
    n_in_hour: int = 0
    """How often it acted, or called a journey, in that hour."""
''',
    '''    hour: int = 0
    """The hour of the log's clock in which it last began without an event from outside."""
    n_in_hour: int = 0
    """How often it did so in that hour."""
''',
)
CHANGES = (
    # From before journeys were held to so many actions an hour: two fields less.
    *(("state.py", text, "") for text in _HOURS),
    (
        "state.py",
        "State = Tie | Pointer | Life\n",
        f"State = Tie | Pointer | Life\nprint({NOTE!r}, flush=True)\n",
    ),
    ("bounds.py", '    hour = at // UNITS_MS["h"]\n', "    return 1\n"),
    ("bounds.py", "    if other.hour == kept.hour:\n", "    return\n    if other.hour == kept.hour:\n"),
)


def older_copy(folder: Path) -> Path:
    """Copy the code, and take it back to an older layout; return where it is."""
    copy = folder / "older"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "studio"))
    for name, text, instead in CHANGES:
        file = copy / "sojourn" / "engine" / name
        before = file.read_text(encoding="utf-8")
        assert before.count(text) == 1, f"{name} has changed: what is an older layout of it?"
        file.write_text(before.replace(text, instead), encoding="utf-8")
    return copy
