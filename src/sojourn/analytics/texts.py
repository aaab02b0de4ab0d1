"""Texts: files of rules and definitions that whoever asks has written."""

from __future__ import annotations

from pathlib import Path

from sojourn.model.errors import ConfigError


def read_text(path: Path, what: str, *, otherwise: str = "") -> str:
    """Read a file that is to hold `what`.

    Raises:
        ConfigError: There is none (`otherwise` says what else could be named), or it is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = f"; {otherwise}" if otherwise else ""
        raise ConfigError(f"{path}: {what} cannot be read: there is no such file{hint}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {what} cannot be read ({error})") from None
