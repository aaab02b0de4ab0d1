"""Makers for the tests of importing: a map, a file, its items."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sojourn.runtime.importing import Origin, parse_column_map, read_rows

NOW = 1_800_000_000_000
ORIGIN = Origin(source="import", now_ms=NOW)
MAP = "event=event,user_id=user_id,timestamp=timestamp"


def items(path: Path, column_map: str | None = None, origin: Origin = ORIGIN) -> list[Any]:
    """Read a whole file."""
    read = parse_column_map(column_map) if column_map else None
    return [row.item for row in read_rows(path, origin=origin, column_map=read)]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
