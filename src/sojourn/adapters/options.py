"""Options: one sink's part of the configuration, read into its own type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from sojourn.model.errors import ConfigError

T = TypeVar("T", bound=msgspec.Struct)


def read_options(name: str, options: Mapping[str, Any], kind: type[T]) -> T:
    """Read a sink's options into `kind` (a Struct that forbids unknown fields).

    Raises ConfigError that names the sink, the option and what is known; never a value, which may be a
    secret.
    """
    try:
        return msgspec.convert(dict(options), kind)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_encode_fields__)
        raise ConfigError(f"sink {name!r}: {error}; its options are: {known} [bad-option]") from error
