"""Options: one sink's part of the configuration, and actions' bodies, read into the sink's own types."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.action import Action
from sojourn.model.errors import ConfigError, SinkError

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
        raise ConfigError(f"sink {name!r}: {_said(error, kind, 'option')} [bad-option]") from error


def read_body(action: Action, kind: type[T]) -> T:
    """Read what a journey wants sent into the form that a sink understands.

    Raises SinkError that says what is wrong, and is final: another attempt would send the same.
    """
    try:
        return msgspec.json.decode(action.body, type=kind)
    except msgspec.ValidationError as error:
        raise SinkError(
            f"the body of the action: {_said(error, kind, 'field')} [bad-body]", retry=False
        ) from error


def secret_of(name: str, variable: str) -> str:
    """Return the secret that an environment variable holds; ConfigError where it is not set."""
    if not os.environ.get(variable):
        raise ConfigError(f"sink {name!r}: environment variable {variable} is not set [no-secret]")
    return os.environ[variable]


def _said(error: msgspec.ValidationError, kind: type[msgspec.Struct], part: str) -> str:
    """Say in the words of who wrote it what msgspec found."""
    known = kind.__struct_encode_fields__
    all_known = f"its {part}s are: {', '.join(known)}"
    if missing := _MISSING.fullmatch(str(error)):
        return f"needs {missing[1]!r}; {all_known}"
    if unknown := _UNKNOWN.fullmatch(str(error)):
        return f"unknown {part} {unknown[1]!r}{did_you_mean(unknown[1], known)}"
    return f"{error}; {all_known}"
