"""Experiments: exposures, events and goals that a report is made of, from a data folder or from files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from sojourn.analytics.experiments.asked import Experiment
from sojourn.analytics.texts import read_text
from sojourn.definitions.counts import counted
from sojourn.definitions.metrics import Metric
from sojourn.model.errors import ConfigError, InputError
from sojourn.wiring.lake import open_lake
from sojourn.wiring.lake_events import read_lake_events

if TYPE_CHECKING:
    from sojourn.analytics.events import Events
    from sojourn.analytics.experiments.results import Listing, Report
    from sojourn.analytics.reading import Mapping as Columns

DEFAULT_WITHIN_MS = 7 * 86_400_000
"""Of the goals of journeys, where no metrics are defined."""

_EXPOSURES = """
SELECT person_id, experiment, variant, logged_at, propensity, eligible, allocation, journey, fact_group
FROM exposures WHERE person_id IS NOT NULL AND person_id NOT IN (FROM robots) ORDER BY fact_group, fact_n
"""
_ROBOTS = """
CREATE OR REPLACE TEMP TABLE robots AS
SELECT DISTINCT person_id FROM events WHERE is_bot AND person_id IS NOT NULL
"""
_N_ROBOTS = """
SELECT experiment, count(DISTINCT person_id) FROM exposures
WHERE person_id IN (FROM robots) GROUP BY experiment
"""
_GOALS = """
SELECT person_id, journey, logged_at, value, fact_group
FROM conversions WHERE person_id IS NOT NULL ORDER BY fact_group, fact_n
"""
JOURNEY = "journey"
"""Of an exposure: the journey it happened in."""

_NAMES = {
    "experiment": ("experiment", "experiment_id", "experiment_key", "experiment_name", "flag"),
    "variant": ("variant", "variation", "variation_id", "variant_id", "arm", "group"),
}
"""What columns of files of exposures are called."""


class Met(NamedTuple):
    """Who met what."""

    exposures: Events
    """As `units_of` takes them; no robot's."""
    goals: Events | None
    """That journeys reached; None where none was, and of files."""
    robots: Mapping[str, int]
    """Experiment -> people who are left out, since the user agent of an event of theirs is a robot's."""


class ExposureSource(Struct, frozen=True, kw_only=True):
    """Where an experiment's exposures and events lie: in a data folder, or else in files."""

    data: Path | None = None
    events: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()
    columns: str = ""
    """Which column of the events says what, as `parse_mapping` reads it."""
    exposure_columns: str = ""
    """Which column of the exposures says what."""


def list_experiments(source: ExposureSource) -> Listing:
    """List the experiments anybody met; raises as `report_experiment` does."""
    from sojourn.analytics.experiments.reporting import listing  # noqa: PLC0415 - help needs no numbers

    return listing(read_met(source).exposures)


def report_experiment(
    experiment: str, asked: Experiment, source: ExposureSource, metrics: Sequence[Metric]
) -> Report:
    """Report one experiment.

    Args:
        experiment: Its name.
        asked: How it is compared.
        source: Where exposures and events lie.
        metrics: All that are defined; none: the goals of the experiment's own journeys.

    Raises:
        ConfigError: What is asked for is not there, or does not fit.
        InputError: Nobody met an experiment yet, or a file is damaged.
    """
    from sojourn.analytics.experiments.reporting import (  # noqa: PLC0415 - as above
        Asked,
        chosen_metrics,
        report,
    )
    from sojourn.analytics.experiments.rules import Rule  # noqa: PLC0415
    from sojourn.analytics.questions.selections import instant_ms  # noqa: PLC0415

    exposures, goals, robots = read_met(source)
    known = list(metrics) or _own_goals(exposures, experiment)
    chosen = chosen_metrics(known, asked.metric)
    parts = {name for one in chosen for name in (one.numerator, one.denominator)}
    read = [*chosen, *(one for one in known if one.name in parts)]
    if source.data is None:
        _refuse_goals(read)
    found = report(
        exposures,
        _read_events(source, read, asked.by),
        goals,
        asked=Asked(
            experiment=experiment,
            metrics=asked.metric,
            control=asked.control,
            rule=Rule(
                method=asked.method,
                level=asked.level,
                tuning=asked.tuning,
                looks=asked.looks,
                planned=asked.planned,
            ),
            segments=asked.by,
            until_ms=instant_ms(asked.until, "until"),
        ),
        metrics=known,
    )
    n = robots.get(experiment, 0)
    said = [f"{counted(n, 'robot')} left out: the user agent of an event of theirs says so."] if n else []
    return replace(found, robots=n, warnings=[*found.warnings, *said])


def _refuse_goals(metrics: Iterable[Metric]) -> None:
    for metric in metrics:
        if metric.goal:
            raise ConfigError(
                f"the metric {metric.name!r} is the goal of a journey; those are in a data folder: --data DIR"
            )


def read_metrics(paths: Sequence[Path]) -> tuple[Metric, ...]:
    """Read metrics from files, and folders of files.

    Raises:
        DefinitionError: Something is wrong in them.
        ConfigError: A file cannot be read.
    """
    from sojourn.config import Config, metric_files  # noqa: PLC0415 - help needs no YAML
    from sojourn.definitions.metrics_reading import load_metrics  # noqa: PLC0415 - as above

    files = metric_files(Config(metrics=list(paths)))
    return load_metrics([(str(path), read_text(path, "these metrics")) for path in files])


def read_met(source: ExposureSource) -> Met:
    """Read who met which experiment when. Of files, nobody knows who is a robot."""
    from sojourn.analytics.experiments.measuring import VALUE  # noqa: PLC0415 - help needs no numbers
    from sojourn.analytics.experiments.units import (  # noqa: PLC0415
        ALLOCATION,
        ELIGIBLE,
        PROPENSITY,
        VARIANT,
    )
    from sojourn.analytics.reading import Mapping as Columns  # noqa: PLC0415
    from sojourn.analytics.reading import read_events  # noqa: PLC0415

    if source.data is None:
        return Met(read_events(source.exposures, _exposure_mapping(source)), None, {})
    lake_row = Columns(person=("person_id",), time="logged_at", sequence="fact_group")
    met = replace(
        lake_row,
        step=("experiment",),
        attributes={VARIANT: "variant", ELIGIBLE: "eligible", ALLOCATION: "allocation", JOURNEY: "journey"},
        values={PROPENSITY: "propensity"},
    )
    reached = replace(lake_row, step=("journey",), values={VALUE: "value"})
    with open_lake(source.data) as lake:
        lake.connection.execute(_ROBOTS)
        exposures, goals = (
            _none_where_empty(lambda: read_events(lake.connection.sql(sql), mapping))  # noqa: B023 - now
            for sql, mapping in ((_EXPOSURES, met), (_GOALS, reached))
        )
        robots = dict(lake.connection.execute(_N_ROBOTS).fetchall())
    if exposures is None:
        reason = "nobody met an experiment here yet"
        raise InputError("no-exposures", reason, path=str(source.data), status=404)
    return Met(exposures, goals, robots)


def _none_where_empty(read: Callable[[], Events]) -> Events | None:
    try:
        return read()
    except InputError as error:
        if error.code != "no-events":
            raise
        return None


def _exposure_mapping(source: ExposureSource) -> Columns:
    """Say which columns of a file of exposures tell what."""
    from sojourn.analytics.experiments.units import (  # noqa: PLC0415 - as above
        ALLOCATION,
        ELIGIBLE,
        PROPENSITY,
        VARIANT,
    )
    from sojourn.analytics.reading import parse_mapping  # noqa: PLC0415
    from sojourn.analytics.reading.guessing import columns_in  # noqa: PLC0415

    given = parse_mapping(source.exposure_columns)
    named = dict(given.attributes)
    columns = columns_in(source.exposures)
    found = {}
    for what, names in _NAMES.items():
        column = named.pop(what, None) or next((name for name in names if name in columns), None)
        if column is None:
            raise ConfigError(
                f"{source.exposures[0]}: its columns ({', '.join(columns)}) do not tell the {what}; say "
                f"which does: --exposure-map {what}=COLUMN"
            )
        found[what] = column
    propensity = named.pop(PROPENSITY, PROPENSITY if PROPENSITY in columns else "")
    more = {name: name for name in (ELIGIBLE, ALLOCATION) if name in columns}
    return replace(
        given,
        step=(found["experiment"],),
        attributes={VARIANT: found["variant"], **more, **named},
        values={PROPENSITY: propensity} if propensity else {},
    )


def _read_events(source: ExposureSource, metrics: Iterable[Metric], segments: Sequence[str]) -> Events | None:
    """Read what people did, with all that metrics and segments look at; None: nobody did anything."""
    from sojourn.analytics.experiments.measuring import columns_of  # noqa: PLC0415 - as above
    from sojourn.analytics.reading import StepRules, parse_mapping, read_events  # noqa: PLC0415
    from sojourn.analytics.reading.guessing import columns_in  # noqa: PLC0415

    texts, numbers = columns_of(metrics)
    given = parse_mapping(source.columns)
    columns = None if source.data is not None else columns_in(source.events)
    attributes = {name: _column(name, columns) for name in (*texts, *segments)}
    mapping = replace(
        given,
        attributes={**attributes, **given.attributes},
        values={**{name: _column(name, columns) for name in numbers}, **given.values},
    )
    data = source.data
    if data is None:
        return read_events(source.events, mapping)
    return _none_where_empty(lambda: read_lake_events(data, mapping, StepRules()))


def _column(path: str, columns: Sequence[str] | None) -> str:
    """Name the column of a property: in files it may stand by itself."""
    bare = path.removeprefix("properties.")
    if columns is None or path in columns or "properties" in columns or bare not in columns:
        return path
    return bare


def _own_goals(exposures: Events, experiment: str) -> list[Metric]:
    """Return what an experiment is judged by where no metrics are defined: the goals of its journeys."""
    column = exposures.columns.get(JOURNEY)
    is_of = exposures.step == [*exposures.steps, experiment].index(experiment)
    codes = set() if column is None else set(column.codes[is_of].tolist())
    journeys = sorted({column.values[code] for code in codes if code >= 0} - {""}) if column else []
    if not journeys and is_of.any():
        raise ConfigError(
            "there is no metric, and no journey whose goal could be one; define metrics in the folder that "
            "the configuration names, or name them: --metrics FILE"
        )
    return [
        Metric(name=f"{journey}-goal", kind="conversion", goal=journey, within_ms=DEFAULT_WITHIN_MS)
        for journey in journeys
    ]
