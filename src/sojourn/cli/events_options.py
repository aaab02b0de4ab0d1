"""Events to ask about: which files, and how their columns are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

if TYPE_CHECKING:
    from sojourn.analytics.events import Events

EventsOption = Annotated[
    list[str],
    typer.Option(
        "--events",
        metavar="FILE",
        help="Parquet, CSV or JSON lines, also .gz; a pattern; repeat for several.",
    ),
]
MapOption = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="WHAT=COLUMN,...",
        help="Which columns say person, step, time, session, and attributes.",
    ),
]
StepsOption = Annotated[
    Path | None, typer.Option("--steps", metavar="FILE", help="How names of events become steps (YAML).")
]


def read_asked(
    files: list[str],
    columns: str | None,
    steps: Path | None,
    *,
    kinds: Sequence[str] = (),
    by: str | None = None,
    amounts: Sequence[str] = (),
) -> Events:
    """Read the events a command asks about; raise ConfigError or InputError where they cannot be read.

    Args:
        files: Paths and patterns.
        columns: What `--map` says.
        steps: The file of step rules.
        kinds: Kinds of event as they are asked for: the attributes of their conditions are read, too.
        by: An attribute that is read, too.
        amounts: Numbers that are read, too.
    """
    from sojourn.analytics.kinds import parse_kind  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.reading import StepRules, load_steps, parse_mapping, read_events  # noqa: PLC0415

    mapping = parse_mapping(columns or "")
    conditions = [condition for text in kinds for condition in parse_kind(text).where]
    asked = {each.attribute: each.attribute for each in conditions}
    numbers = {each.attribute for each in conditions if each.operator not in ("=", "!=")} | set(amounts)
    more = [*amounts, *([by] if by else [])]
    attributes = {**asked, **{name: name for name in more}, **mapping.attributes}
    mapping = replace(
        mapping,
        attributes={name: column for name, column in attributes.items() if name not in numbers},
        values={name: attributes[name] for name in numbers} | dict(mapping.values),
    )
    return read_events(files, mapping, steps=StepRules() if steps is None else load_steps(steps))
