"""Events to ask about: which files, and how their columns are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.analytics.events import Events
    from sojourn.analytics.reading import Mapping, StepRules

LAKE_EVENTS = "SELECT * FROM events WHERE person_id IS NOT NULL AND profile_id IS NOT NULL"
"""What people did: other entries of the log are no steps of anybody."""

EventsOption = Annotated[
    list[str],
    typer.Option(
        "--events",
        metavar="FILE",
        help="Parquet, CSV, JSON lines or XES, also .gz; a pattern, a folder, a warehouse; repeatable.",
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

HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page of its own, with plots.")
]


def rules_of(file: Path | None) -> StepRules:
    """Read how names of events become steps; without a file they are steps as they are."""
    from sojourn.analytics.reading import StepRules, load_steps  # noqa: PLC0415 - help needs no numbers

    return StepRules() if file is None else load_steps(file)


def read_asked(
    files: list[str],
    columns: str | None,
    rules: StepRules,
    *,
    kinds: Sequence[str] = (),
    by: str | None = None,
    attributes: Sequence[str] = (),
    amounts: Sequence[str] = (),
    data: Path | None = None,
) -> Events:
    """Read the events a command asks about; raise ConfigError or InputError where they cannot be read.

    Args:
        files: Paths and patterns.
        columns: What `--map` says.
        rules: What `rules_of` read.
        kinds: Kinds of event as they are asked for: the attributes of their conditions are read, too.
        by: An attribute that is read, too.
        attributes: More of them.
        amounts: Numbers that are read, too.
        data: A data folder, whose lake is read and not files.
    """
    from sojourn.analytics.kinds import parse_kind  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.reading import parse_mapping, read_events  # noqa: PLC0415

    mapping = parse_mapping(columns or "")
    conditions = [condition for text in kinds for condition in parse_kind(text).where]
    asked = {each.attribute: each.attribute for each in conditions}
    numbers = {each.attribute for each in conditions if each.operator not in ("=", "!=")} | set(amounts)
    wanted = {name: name for name in (*attributes, *amounts, *([by] if by else []))}
    columns_of = {**asked, **wanted, **mapping.attributes}
    mapping = replace(
        mapping,
        attributes={name: column for name, column in columns_of.items() if name not in numbers},
        values={name: columns_of[name] for name in numbers} | dict(mapping.values),
    )
    if data is None:
        return read_events(files, mapping, steps=rules)
    from sojourn.wiring.lake import open_lake  # noqa: PLC0415 - help needs no database

    with open_lake(data) as lake:
        return read_events(lake.connection.sql(LAKE_EVENTS), _of_lake(mapping), steps=rules)


def _of_lake(mapping: Mapping) -> Mapping:
    """Say which columns of the lake's events say who, what and when, where nobody says otherwise."""
    return replace(
        mapping,
        person=mapping.person or ("person_id",),
        step=mapping.step or ("name",),
        time=mapping.time or "occurred_at",
        session=mapping.session or "session_id",
        sequence=mapping.sequence or "position",
        page=mapping.page or "page_path",
    )


def write_page(file: Path, text: str) -> None:
    """Write a page, and say so; raise ConfigError where it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from None
    typer.echo(f"{file} is written; open it in a browser")
