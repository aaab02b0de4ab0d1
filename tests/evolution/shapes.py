"""Shapes: how everything that outlives a process is laid out, as a text that changes are held against."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, inspect

from sojourn.definitions.controls import Forgetting, Holding, Learnt, Publishing
from sojourn.definitions.publishing import Arrival, InForce
from sojourn.engine.records import Moved, Saved, Sent
from sojourn.engine.state import Life, Pointer, Tie
from sojourn.model.action import Letter
from sojourn.model.event import Entry, FailedEvent
from sojourn.model.fact import Fact
from sojourn.runtime.shards.chronicle import Mark
from sojourn.runtime.shards.records import Addressed

ROOTS: dict[str, Any] = {
    "states": tuple[Tie, Pointer, Life],
    "inputs that wait": Addressed,
    "events and controls": Sent,
    "states that are told": Saved,
    "controls heard": Entry,
    "the last control": Mark,
    "what controls say": tuple[Publishing, Holding, Learnt, Forgetting],
    "what is in force": InForce,
    "what was moved to a cluster": tuple[Moved, Arrival],
    "facts": Fact,
    "actions and dead letters": Letter,
    "failed events": FailedEvent,
}
FLINK = Path(__file__).parents[2] / "src" / "sojourn" / "runtime" / "flink"
_KEPT = ("MapStateDescriptor", "ListStateDescriptor", "ValueStateDescriptor", "uid", "set_max_parallelism")


class Field(Struct, frozen=True):
    """One field."""

    name: str
    """As it is written."""
    type: str
    """Its alternatives, sorted, between ` | `."""
    default: str | None
    """As JSON; None: it must be there."""


class Shape(Struct, frozen=True):
    """One struct."""

    layout: str
    """`array` or `object`; ` strict` where unknown fields are refused."""
    tag: str
    fields: list[Field]


class Shapes(Struct, frozen=True):
    """All of it."""

    roots: dict[str, str]
    structs: dict[str, Shape]
    flink: list[str]
    """What a savepoint is found again by: states and operators, as the program names them."""


def shapes() -> Shapes:
    """Describe today's."""
    found: dict[str, Shape] = {}
    roots = {name: alternatives(inspect.type_info(root), found) for name, root in ROOTS.items()}
    return Shapes(roots, dict(sorted(found.items())), sorted(set(_flink())))


def alternatives(kind: Any, found: dict[str, Shape]) -> str:
    """Write a type, and note the structs it is made of."""
    return " | ".join(sorted(_alternatives(kind, found)))


def _alternatives(kind: Any, found: dict[str, Shape]) -> set[str]:
    if isinstance(kind, inspect.UnionType):
        return {one for each in kind.types for one in _alternatives(each, found)}
    if isinstance(kind, inspect.LiteralType):
        return {repr(value) for value in kind.values}
    if isinstance(kind, inspect.StructType):
        return {_struct(kind, found)}
    if isinstance(kind, inspect.DictType):
        return {f"dict[{_inner(kind.key_type, found)}, {_inner(kind.value_type, found)}]"}
    if isinstance(kind, inspect.TupleType):
        return {f"tuple[{', '.join(_inner(each, found) for each in kind.item_types)}]"}
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return {f"list[{_inner(kind.item_type, found)}]"}
    return {type(kind).__name__.removesuffix("Type").lower()}


def _inner(kind: Any, found: dict[str, Shape]) -> str:
    return "|".join(sorted(_alternatives(kind, found)))


def _struct(kind: inspect.StructType, found: dict[str, Shape]) -> str:
    name: str = kind.cls.__name__
    if name not in found:
        found[name] = Shape("", "", [])  # It may be made of itself.
        layout = ("array" if kind.array_like else "object") + " strict" * kind.forbid_unknown_fields
        fields = [Field(one.encode_name, alternatives(one.type, found), _default(one)) for one in kind.fields]
        found[name] = Shape(layout, str(kind.tag or ""), fields)
    return name


def _default(field: inspect.Field) -> str | None:
    if field.required:
        return None
    value = field.default if field.default_factory is inspect.NODEFAULT else field.default_factory()
    return msgspec.json.encode(value).decode()


def _flink() -> Iterator[str]:
    """Read what Flink is told of states, without having Flink here."""
    for file in sorted(FLINK.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _KEPT:
                yield f"{file.name}: {name}({', '.join(ast.unparse(each) for each in node.args)})"


def broken(before: Shapes, after: Shapes) -> list[str]:
    """Say which changes make what was written before unreadable, or mean something else."""
    found = [
        f"{name}: was {was}, and is {after.roots.get(name, 'gone')}"
        for name, was in before.roots.items()
        if not _takes(after.roots.get(name, ""), was)
    ]
    for name, shape in before.structs.items():
        if name not in after.structs:
            found.append(f"{name}: is gone")
        else:
            found += [f"{name}{each}" for each in _broken(shape, after.structs[name])]
    gone = set(before.flink) - set(after.flink)
    return found + [f"Flink: a savepoint has {line}, and the job has not" for line in sorted(gone)]


def _takes(after: str, before: str) -> bool:
    return "any" in after.split(" | ") or set(before.split(" | ")) <= set(after.split(" | "))


def _broken(before: Shape, after: Shape) -> Iterator[str]:
    if (before.layout, before.tag) != (after.layout, after.tag):
        yield f": was {before.layout} `{before.tag}`, and is {after.layout} `{after.tag}`"
        return
    pairs = _in_array(before, after) if before.layout.startswith("array") else _by_name(before, after)
    for was, now in pairs:
        if was is None:
            assert now is not None
            if now.default is None:
                yield f".{now.name}: is new and has no default, so that what is there lacks it"
        elif now is None:
            yield f".{was.name}: is gone, or not where it was; what is there still has it"
        elif not _takes(now.type, was.type):
            yield f".{was.name}: was {was.type}, and is {now.type}"
        elif was.default is not None and was.default != now.default:
            yield f".{was.name}: stood for {was.default} where it was left out, and now for {now.default}"


_Pairs = Iterator[tuple[Field | None, Field | None]]


def _in_array(before: Shape, after: Shape) -> _Pairs:
    """Pair fields by their places; one with a name that was nowhere before is the old one, renamed."""
    names = {one.name for one in before.fields}, {one.name for one in after.fields}
    for at, was in enumerate(before.fields):
        now = after.fields[at] if at < len(after.fields) else None
        is_renamed = now is not None and now.name not in names[0] and was.name not in names[1]
        yield was, now if now is not None and (now.name == was.name or is_renamed) else None
    for now in after.fields[len(before.fields) :]:
        yield None, now


def _by_name(before: Shape, after: Shape) -> _Pairs:
    there: Mapping[str, Field] = {one.name: one for one in after.fields}
    names = {one.name for one in before.fields}
    for was in before.fields:
        yield was, there.get(was.name)
    for now in after.fields:
        if now.name not in names:
            yield None, now
