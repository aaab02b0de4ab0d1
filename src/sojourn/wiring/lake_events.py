"""The events of a lake, encoded: what questions of analytics are asked of, from a data folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError, InputError
from sojourn.model.lake import EVENTS
from sojourn.wiring.lake import FOLDER, open_lake, open_to_read

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from sojourn.adapters.lake.encoded import Memory
    from sojourn.analytics.events import Events
    from sojourn.analytics.reading import Mapping, StepRules

STEPS_OF_PEOPLE = "SELECT * FROM events WHERE person_id IS NOT NULL AND profile_id IS NOT NULL"
"""What people did: other entries of the log are no steps of anybody."""

_COLUMNS = frozenset({"person_id", *(column.name for column in EVENTS.columns)})
_PROPERTIES = "properties"
_SAMPLED_EVENTS = 50_000  # whose properties a message may suggest.


def read_lake_events(
    data: Path, mapping: Mapping, rules: StepRules, *, memory: Memory | None = None
) -> Events:
    """Read what people did up to this instant, by whom they are by now.

    Args:
        data: The data folder.
        mapping: What is to be read. What says who, what and when is known; a column that the lake's events do
            not have is one of their properties.
        rules: How names of events become steps.
        memory: What was read of this folder before; it is quicker with it.

    Raises:
        ConfigError: There is no lake, or no event has an attribute that is asked for.
        InputError: Nobody did anything yet (`no-events`).
    """
    try:
        events = _encoded(data, in_lake(mapping), rules, memory) or read_anew(data, in_lake(mapping), rules)
    except InputError as error:
        if error.code != "no-events":
            raise
        reason = "nobody did anything here yet; send events to its server, or `sojourn import` some"
        raise InputError("no-events", reason, path=str(data), status=404) from None
    _check_attributes(data, events, mapping)
    return events


def read_anew(data: Path, mapping: Mapping, rules: StepRules) -> Events:
    """Read what people did from files and log, and nothing that is kept beside them.

    The mapping is one of the lake's columns. Raises as `read_lake_events`.
    """
    from sojourn.analytics.reading import read_events  # noqa: PLC0415 - help needs no numbers

    with open_lake(data) as lake:
        return read_events(lake.connection.sql(STEPS_OF_PEOPLE), mapping, steps=rules)


def _encoded(data: Path, mapping: Mapping, rules: StepRules, memory: Memory | None) -> Events | None:
    """Read what is kept encoded, and what came since; None where nothing is kept, or not what is asked."""
    from sojourn.adapters.lake.encoded import columns_for, events_of, read_known  # noqa: PLC0415 - as above
    from sojourn.adapters.lake.iceberg.linking import read_link  # noqa: PLC0415

    columns = columns_for(mapping, rules)
    if columns is None or read_link(data / FOLDER) is not None:
        return None
    with open_to_read(data) as tail:
        read = read_known if memory is None else memory.read
        found = read(data / FOLDER, tail, columns)
    return None if found is None else events_of(found[0], mapping, rules)


def in_lake(mapping: Mapping) -> Mapping:
    """Say by which columns of the lake's events all of a mapping is read."""
    return replace(
        mapping,
        person=_all_in_lake(mapping.person) or ("person_id",),
        step=_all_in_lake(mapping.step) or ("name",),
        time=_column(mapping.time or "occurred_at"),
        session=_column(mapping.session or "session_id"),
        sequence=_column(mapping.sequence or "position"),
        page=_column(mapping.page or "page_path"),
        attributes={name: _column(column) for name, column in mapping.attributes.items()},
        values={name: _column(column) for name, column in mapping.values.items()},
    )


def _all_in_lake(columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(_column, columns))


def _column(name: str) -> str:
    """Name a column as the lake has it: `country`, `traits.plan`; `plan` alone is `properties.plan`."""
    return name if name.partition(".")[0] in _COLUMNS else f"{_PROPERTIES}.{name}"


def _check_attributes(data: Path, events: Events, mapping: Mapping) -> None:
    """Refuse a property that no event has: it is a slip, and would be an answer about nothing."""
    from numpy import isnan  # noqa: PLC0415 - as above

    texts = {name: mapping.attributes[name] for name, one in events.columns.items() if not one.values}
    numbers = {name: mapping.values[name] for name, one in events.values.items() if isnan(one).all()}
    for what, absent in (("", texts), ("a number in ", numbers)):
        for name, column in absent.items():
            if column not in _COLUMNS:
                with open_lake(data) as lake:
                    known = did_you_mean(column, [*_COLUMNS, *_properties(lake.connection)])
                raise ConfigError(
                    f"no event has {what}{name!r}: it is no column of the lake's events, so "
                    f"{_column(column)} was looked for{known}"
                )


def _properties(connection: DuckDBPyConnection) -> list[str]:
    sampled = f"SELECT {_PROPERTIES} AS p FROM ({STEPS_OF_PEOPLE}) LIMIT {_SAMPLED_EVENTS}"  # noqa: S608 - ours
    found = connection.execute(f"SELECT DISTINCT unnest(json_keys(p)) FROM ({sampled})").fetchall()  # noqa: S608
    return [name for (name,) in found]
