"""Texts: files that commands read and write, with what to do where that fails."""

from __future__ import annotations

from pathlib import Path

import typer

from sojourn.model.errors import ConfigError


def read_text(path: Path) -> str:
    """Read a file of text; raise ConfigError where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None


def write_text(path: Path | None, text: str) -> None:
    """Write a file of text, or the output where no file is named."""
    if path is None:
        typer.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None


def journey_paths(named: list[Path]) -> list[Path]:
    """Return files; a folder stands for the journeys in it."""
    from sojourn.config import Config, journey_files  # noqa: PLC0415 - help needs no YAML

    for path in named:
        if not path.exists():
            raise ConfigError(f"{path}: there is no such file; name the journeys to check")
    return journey_files(Config(journeys=named))
