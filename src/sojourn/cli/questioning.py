"""Questioning: a command's options, made of the fields of what is asked with them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import typer
from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo, fields

from sojourn.analytics.questions import Question

Q = TypeVar("Q", bound=Question)

ASKED = "asked"
"""The parameter of a command in whose place the options come."""


def question(kind: type[Q]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each field of a question; it gets them together, as `asked`."""
    plain, hints = get_type_hints(kind), get_type_hints(kind, include_extras=True)
    own = {field.name: field for field in fields(kind)}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**options: Any) -> None:
            said = {name: options.pop(name) for name in own}
            given = {name: _as_asked(value) for name, value in said.items() if value is not None}
            command(asked=kind(**given), **options)

        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            is_place = parameter.name == ASKED
            parameters += (
                [_parameter(field, plain[name], hints[name]) for name, field in own.items()]
                if is_place
                else [parameter]
            )
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _as_asked(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _parameter(field: FieldInfo, kind: Any, hint: Any) -> inspect.Parameter:
    """Make the parameter of one field, as Typer wants it; `hint` is its `kind` with what is said of it."""
    notes = list(_notes(hint))
    about, bounds = notes[0], notes[-1]  # what is said of a number that may be None stands inside
    metavar, is_needed = (about.extra or {}).get("metavar"), field.default is NODEFAULT
    default = inspect.Parameter.empty if is_needed else field.default
    if get_origin(kind) is tuple:
        kind, default = (list[str], default) if is_needed else (list[str] | None, None)
    said: Any = (
        typer.Argument(metavar=metavar, help=about.description)
        if is_needed
        else typer.Option(
            f"--{field.encode_name}", metavar=metavar, help=about.description, min=bounds.ge, max=bounds.le
        )
    )
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, said]
    )


def _notes(hint: Any) -> Iterator[Meta]:
    """Yield what is said of a type, and then of those it is made of."""
    yield from (each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Meta))
    for part in get_args(hint):
        yield from _notes(part)
