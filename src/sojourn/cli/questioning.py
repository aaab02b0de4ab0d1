"""Questioning: a command's options, made of the fields of what is asked with them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from sojourn.analytics.questions import Question
from sojourn.analytics.questions.fields import Field, fields_of
from sojourn.cli.events_options import Given

ASKED, SOURCE = "asked", "source"
"""The parameters of a command in whose places options come."""


def question(kind: type[Question]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each field of a question, and for its source.

    It gets them together, as `asked` and as `source`.
    """
    own = fields_of(kind)
    places = {ASKED: [*map(_parameter, own)], SOURCE: _source_parameters()}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**options: Any) -> None:
            said = {field.name: options.pop(field.name) for field in own}
            given = {name: _as_asked(value) for name, value in said.items() if value is not None}
            source = Given(**{name: options.pop(name) for name in Given._fields})
            command(asked=kind(**given), source=source, **options)

        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            parameters += places.get(parameter.name, [parameter])
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _source_parameters() -> list[inspect.Parameter]:
    """Make the parameters that say where events lie."""
    hints = get_type_hints(Given, include_extras=True)
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hints[name])
        for name in Given._fields
    ]


def _as_asked(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _parameter(field: Field) -> inspect.Parameter:
    """Make the parameter of one field, as Typer wants it."""
    kind, default = field.type, field.default
    if field.is_several:
        kind, default = (list[str] if field.is_needed else list[str] | None), None
    said: Any = (
        typer.Argument(metavar=field.metavar, help=field.about)
        if field.is_needed
        else typer.Option(
            f"--{field.option}", metavar=field.metavar, help=field.about, min=field.low, max=field.high
        )
    )
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.is_needed else default,
        annotation=Annotated[kind, said],
    )
