"""Roots: which kind of file a text is, and of what, without checking it."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from sojourn.definitions.catalogue import SHARED
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, load
from sojourn.model.authored import Kind
from sojourn.model.errors import DefinitionError


class Root(Struct, frozen=True):
    """What a file says it is."""

    kind: Kind
    name: str = ""
    """Of a journey or a flag."""


@lru_cache(maxsize=128)  # a listing asks of every file, and few of them change between two
def root_of(text: str) -> Root:
    """Say what a text is; where it is no YAML, or says nothing of the sort, that is unknown."""
    try:
        node = load(text, file="")
    except DefinitionError:
        return Root("unknown")
    if not isinstance(node, MappingNode):
        return Root("unknown")
    entries = node.entries
    if "journey" in entries:
        return Root("journey", _text(entries["journey"]))
    if "flag" in entries:
        return Root("flag", _text(entries["flag"]))
    if "metrics" in entries:
        return Root("metrics")
    return Root("shared" if SHARED & entries.keys() else "unknown")


def _text(node: AnyNode) -> str:
    if isinstance(node, MappingNode):
        return _text(node.entries["name"]) if "name" in node.entries else ""
    return node.text if isinstance(node, ScalarNode) else ""
