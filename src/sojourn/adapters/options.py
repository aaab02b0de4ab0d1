"""Options: one sink's part of the configuration, read into its own type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

_MISSING = re.compile(r"Object missing required field `(.*)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")

T = TypeVar("T", bound=msgspec.Struct)


def read_options(name: str, options: Mapping[str, Any], kind: type[T]) -> T:
    """Read a sink's options into `kind` (a Struct that forbids unknown fields).

    Raises ConfigError that names the sink, the option and what is known; never a value, which may be a
    secret.
    """
    try:
        return msgspec.convert(dict(options), kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"sink {name!r}: {_said(error, kind)} [bad-option]") from error


def _said(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> str:
    """Say in an operator's words what msgspec found."""
    known = kind.__struct_encode_fields__
    its_options = f"its options are: {', '.join(known)}"
    if missing := _MISSING.fullmatch(str(error)):
        return f"needs {missing[1]!r}; {its_options}"
    if unknown := _UNKNOWN.fullmatch(str(error)):
        return f"unknown option {unknown[1]!r}{did_you_mean(unknown[1], known)}"
    return f"{error}; {its_options}"
