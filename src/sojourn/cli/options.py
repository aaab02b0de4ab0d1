"""Options: what all commands take, and the configuration they come to."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sojourn.config import Config

DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The data folder; by default what the configuration says."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration; by default sojourn.yaml in the data folder, beside it, or here.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]


def configuration(file: Path | None, data: Path | None) -> Config:
    """Read the configuration; raise ConfigError where it is wrong."""
    from sojourn.config import load_config  # noqa: PLC0415 - help needs no YAML

    return load_config(file, data=data, environment=os.environ)


def now_ms() -> int:
    """Read the wall clock, ms since 1970."""
    return time.time_ns() // 1_000_000
