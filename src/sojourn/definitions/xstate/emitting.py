"""Emitting: a journey as YAML that people go on writing: states as blocks, what is in them a line each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_](?:[\w ./-]*\w)?", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What some reader of YAML takes for something else than text."""

_BLOCKS = frozenset({"states", "regions"})


def emit(journey: Mapping[str, Any]) -> str:
    """Write a journey; read again, it is the same."""
    return "\n".join(_lines(journey, "")) + "\n"


def _lines(body: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in body.items():
        if key in _BLOCKS and value:
            yield f"{indent}{key}:"
            for name, inner in value.items():
                if inner:
                    yield f"{indent}  {_scalar(name)}:"
                    yield from _lines(inner, indent + "    ")
                else:
                    yield f"{indent}  {_scalar(name)}: {{}}"
        elif isinstance(value, list) and len(value) > 1:
            yield f"{indent}{key}:"
            yield from (f"{indent}  - {_flow(item)}" for item in value)
        else:
            yield f"{indent}{key}: {_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)}: {_flow(inner)}" for key, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value)


def _key(key: str) -> str:
    return (
        key
        if key in ("on", "when", "to", "do") or re.fullmatch(r"\d+[a-z]+(?:\d+[a-z]+)*", key)
        else _scalar(key)
    )


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if is_plain else json.dumps(value, ensure_ascii=not value.isprintable())
    return json.dumps(value)
