"""Questions: the events each is asked of, from files or from a data folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace as with_fields

from sojourn.analytics.questions import Causal, Friction, People, Question
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from sojourn.adapters.lake.encoded import Memory
    from sojourn.analytics.belonging.reading import ListedSegments, Wanted
    from sojourn.analytics.events import Events
    from sojourn.analytics.reading import Mapping, StepRules

SEGMENTS = (
    "channel", "campaign_source", "campaign_medium", "campaign_name", "device_kind", "browser", "os",
    "country",
)  # fmt: skip
"""Columns of the lake's events that may tell people apart into a few kinds."""


class Source(Struct, frozen=True, kw_only=True):
    """Where events lie: in a data folder, or else in files."""

    data: Path | None = None
    files: tuple[str, ...] = ()
    """Paths and patterns."""
    columns: str = ""
    """Which column says what, where that is not plain, as `parse_mapping` reads it."""


def read_for(question: Question, source: Source, rules: StepRules, *, memory: Memory | None = None) -> Events:
    """Read the events a question is about, with all it looks at.

    With a memory, what was read of a data folder before is not read again.

    Raises:
        ConfigError: There are none, or they lack what is asked for.
        InputError: A file is damaged, or nobody did anything yet.
    """
    from sojourn.analytics.questions.selections import wanted_of  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.selecting import no_facts  # noqa: PLC0415

    wanted = wanted_of(question)
    if not wanted.segments and not wanted.experiments:
        return _read(question, source, rules, memory)
    if source.data is None:
        raise ConfigError(no_facts("segment" if wanted.segments else "experiment"))
    return _with_belonging(_read(question, source, rules, memory), source.data, wanted)


def list_segments(data: Path) -> ListedSegments:
    """List the segments that anybody was ever in; raises ConfigError where there is no lake."""
    from sojourn.analytics.belonging.reading import segments_in  # noqa: PLC0415 - as above
    from sojourn.wiring.lake import open_lake  # noqa: PLC0415

    with open_lake(data) as lake:
        return segments_in(lake.connection)


def _with_belonging(events: Events, data: Path, wanted: Wanted) -> Events:
    """Read with events who was in which segment, and who met which experiment."""
    from sojourn.analytics.belonging.reading import read_belonging  # noqa: PLC0415 - as above
    from sojourn.wiring.lake import open_lake  # noqa: PLC0415

    with open_lake(data) as lake:
        return replace(events, belonging=read_belonging(lake.connection, events.people, wanted))


def _read(question: Question, source: Source, rules: StepRules, memory: Memory | None) -> Events:
    from sojourn.analytics.attribution.journeys import CHANNEL  # noqa: PLC0415 - as above
    from sojourn.analytics.questions.needs import mapping_of  # noqa: PLC0415
    from sojourn.analytics.reading import parse_mapping, read_events  # noqa: PLC0415
    from sojourn.wiring.lake_events import read_lake_events  # noqa: PLC0415

    mapping = mapping_of(question, parse_mapping(source.columns))
    if isinstance(question, Causal):
        return _with_trials(source, mapping, rules, memory)
    if isinstance(question, People) and source.data is not None:
        mapping = _with_attributes(mapping, {CHANNEL: CHANNEL})
    is_open = isinstance(question, Friction) and not question.attribute
    if source.data is None:
        if is_open:
            mapping = _with_attributes(mapping, _guessed(source, mapping))
        return read_events(source.files, mapping, steps=rules)
    if not is_open:
        return read_lake_events(source.data, mapping, rules, memory=memory)
    segments = {name: name for name in SEGMENTS}
    wide = _with_attributes(mapping, segments)
    return _few_valued(read_lake_events(source.data, wide, rules, memory=memory), mapping)


def _with_trials(source: Source, mapping: Mapping, rules: StepRules, memory: Memory | None) -> Events:
    """Read events and, with them, whom hold-outs kept back."""
    from sojourn.analytics.causal.reading import read_trials  # noqa: PLC0415 - as above
    from sojourn.analytics.causal.trials import evidence_of  # noqa: PLC0415
    from sojourn.wiring.lake import open_lake  # noqa: PLC0415
    from sojourn.wiring.lake_events import read_lake_events  # noqa: PLC0415

    if source.data is None:
        raise ConfigError(
            "files of events do not tell whom a hold-out kept back; name the data folder of an engine, or of "
            "`sojourn simulate --scenario`, with --data [no-holdout]"
        )
    events = read_lake_events(source.data, mapping, rules, memory=memory)
    with open_lake(source.data) as lake:
        return evidence_of(events, read_trials(lake.connection, events.people))


def _guessed(source: Source, mapping: Mapping) -> dict[str, str]:
    from sojourn.analytics.reading.guessing import guess_attributes  # noqa: PLC0415 - as above

    return guess_attributes(source.files, mapping)


def _with_attributes(mapping: Mapping, columns: dict[str, str]) -> Mapping:
    return with_fields(mapping, attributes={**columns, **mapping.attributes})


def _few_valued(events: Events, mapping: Mapping) -> Events:
    """Keep the columns that tell people apart into a few kinds, and those that are named."""
    from sojourn.analytics.reading.guessing import MAX_VALUES  # noqa: PLC0415 - as above

    kept = {
        name: column
        for name, column in events.columns.items()
        if name in mapping.attributes or 2 <= len(column.values) <= MAX_VALUES
    }
    return replace(events, columns=kept)
