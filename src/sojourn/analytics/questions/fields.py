"""Fields: what is known of each field of a question, for whoever reads one from options or from a query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct, structs

from sojourn.analytics.questions.asked import Question


class Field(Struct, frozen=True, kw_only=True):
    """One field of a question."""

    name: str
    option: str
    """What it is called by whoever asks."""
    type: Any
    """As it is declared, without what is noted of it: `int | None`, `tuple[str, ...]`."""
    kind: type
    """What one value is: str, int, float or bool."""
    choices: tuple[str, ...] = ()
    """What it may be; none: anything."""
    is_several: bool = False
    is_needed: bool = False
    default: Any = None
    about: str = ""
    metavar: str | None = None
    """How a value is written in a command's help."""
    low: float | None = None
    high: float | None = None

    def expected(self) -> str:
        """Say what a value must be."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        words = {int: "a whole number", float: "a number", bool: "true or false"}.get(self.kind, "a text")
        bounds = [
            f"{word} {bound:,}"
            for word, bound in (("from", self.low), ("to", self.high))
            if bound is not None
        ]
        return " ".join([words, *bounds])


def fields_of(question: type[Question]) -> list[Field]:
    """List the fields of a kind of question, in their order."""
    hints = get_type_hints(question, include_extras=True)
    types = get_type_hints(question)
    return [
        _field(each, types[each.name], list(_notes(hints[each.name]))) for each in structs.fields(question)
    ]


def _field(info: structs.FieldInfo, declared: Any, notes: list[Meta]) -> Field:
    inner = [each for each in get_args(declared) if each is not type(None)]
    is_several = get_origin(declared) is tuple
    one = inner[0] if inner and get_origin(declared) is not Literal else declared
    about, bounds = notes[0], notes[-1]  # what bounds a number that may be None stands inside
    choices = get_args(one) if get_origin(one) is Literal else ()
    return Field(
        name=info.name,
        option=info.encode_name,
        type=declared,
        kind=str if choices else one,
        choices=choices,
        is_several=is_several,
        is_needed=info.required,
        default=None if info.required else info.default,
        about=about.description or "",
        metavar=(about.extra or {}).get("metavar"),
        low=bounds.ge,
        high=bounds.le,
    )


def _notes(hint: Any) -> Iterator[Meta]:
    """Yield what is noted of a type, and then of those it is made of."""
    yield from (each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Meta))
    for part in get_args(hint):
        yield from _notes(part)
