"""Folders: data folders with a small shop's events in them, and the same events as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.commands import run

WALKS = {
    "ada": ("SE", "ads", ["View", "Cart", "Help", "Cart", "Buy"]),
    "bob": ("SE", "mail", ["View", "Cart", "Help"]),
    "cid": ("DE", "ads", ["View", "Buy"]),
    "dan": ("DE", "mail", ["View"]),
    "eve": ("DE", "ads", ["View", "Cart", "Buy", "View"]),
}
"""Person -> (land, campaign's source, steps, a minute apart)."""


def messages() -> list[dict[str, Any]]:
    """Return the shop's events as Segment's messages: each person on a day of their own."""
    return [
        {
            "type": "track",
            "event": step,
            "timestamp": f"2026-03-{day:02}T09:{minute:02}:00Z",
            "messageId": f"{person}-{minute}",
            "userId": person,
            "properties": {"land": land, "total": 10 * minute, "basket": {"size": minute}},
            "context": {"campaign": {"source": source}, "app": {"plan": "pro" if land == "SE" else "free"}},
        }
        for day, (person, (land, source, steps)) in enumerate(WALKS.items(), start=1)
        for minute, step in enumerate(steps)
    ]


def shop(folder: Path) -> Path:
    """Make a data folder with the shop's events in its log; return it."""
    file = folder / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, messages())))
    return imported(folder, file)


def imported(folder: Path, file: Path) -> Path:
    """Import a file into a folder of its own; return its data folder."""
    for command in (["init", str(folder)], ["import", str(file), "--config", str(folder / "sojourn.yaml")]):
        result = run(*command)
        assert result.exit_code == 0, result.output
    return folder / "data"
