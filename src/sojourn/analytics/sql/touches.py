"""Touches: the paths of channels to conversions and to none, and what they credit by position, as SQL.

`touch_paths` gives the columns that `read_paths` reads: any model, Markov's chain and Shapley's values
included, then runs on what was collected, which is as small as there are different paths.
"""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.analytics.sql.dialects import DialectName
from sojourn.analytics.sql.steps import Asking, Steps, query, select
from sojourn.model.errors import ConfigError

SEPARATOR = " > "


def touch_paths(
    conversions: Sequence[str],
    steps: Steps = Steps(),  # noqa: B008 - it is frozen
    *,
    channel: str = "channel",
    value: str | None = None,
    lookback_ms: int | None = None,
    dialect: DialectName = "duckdb",
) -> str:
    """Write the aggregated paths: path, total_conversions, total_conversion_value, total_null.

    They are those of `paths_of(events, JourneyRules(...))`: a path begins anew after each conversion, an
    event that is touch and conversion is first the touch, and touches after a person's last conversion are a
    path to none.

    Args:
        conversions: The steps that are conversions.
        steps: The table.
        channel: The column of the channel; a step that has one is a touch.
        value: The column of what a conversion is worth, a number. None: nothing is worth anything.
        lookback_ms: How long before the conversion (of a path to none: its last touch) a touch may be.
        dialect: Whose SQL.

    Raises:
        ConfigError: There is no conversion, or the lookback is not above 0.
    """
    asking = Asking(steps, dialect)
    parts = _journeys(asking, conversions, channel=channel, value=value, lookback_ms=lookback_ms)
    separator = asking.dialect.text(SEPARATOR)
    parts["paths"] = select(
        [
            f"COALESCE({asking.dialect.joined('channel', separator, 'n')}, '') AS path",
            "MAX(is_conversion) AS converted",
            "SUM(value) AS value",
        ],
        "journeys",
        then="GROUP BY person, journey",
    )
    columns = [
        "path",
        "CAST(SUM(converted) AS BIGINT) AS total_conversions",
        "COALESCE(SUM(value), 0) AS total_conversion_value",
        "CAST(SUM(1 - converted) AS BIGINT) AS total_null",
    ]
    return query(parts, select(columns, "paths", then="GROUP BY path\nORDER BY path"))


def position_credit(
    conversions: Sequence[str],
    steps: Steps = Steps(),  # noqa: B008 - it is frozen
    *,
    channel: str = "channel",
    value: str | None = None,
    lookback_ms: int | None = None,
    dialect: DialectName = "duckdb",
) -> str:
    """Write what each channel is credited by the first touch, the last, and all alike.

    Columns: channel, first_conversions, first_value, last_conversions, last_value, linear_conversions,
    linear_value; a conversion before which nobody was met is that of `(none)`. It is path credit, not causal.
    Arguments are those of `touch_paths`.
    """
    asking = Asking(steps, dialect)
    parts = _journeys(asking, conversions, channel=channel, value=value, lookback_ms=lookback_ms)
    of_journey = "OVER (PARTITION BY person, journey)"
    parts["placed"] = select(
        [
            "channel",
            f"MAX(is_conversion) {of_journey} AS converted",
            f"COALESCE(MAX(value) {of_journey}, 0) AS value",
            f"COUNT(channel) {of_journey} AS n_touches",
            f"CASE WHEN n = MIN(CASE WHEN channel IS NOT NULL THEN n END) {of_journey} THEN 1 ELSE 0 END"
            " AS is_first",
            f"CASE WHEN n = MAX(CASE WHEN channel IS NOT NULL THEN n END) {of_journey} THEN 1 ELSE 0 END"
            " AS is_last",
        ],
        "journeys",
    )
    # A row without a channel is a conversion, and counts only where its journey has no touch.
    shares = {
        "first": "CASE WHEN n_touches = 0 THEN 1 ELSE is_first END",
        "last": "CASE WHEN n_touches = 0 THEN 1 ELSE is_last END",
        "linear": "1 / CASE WHEN n_touches = 0 THEN 1 ELSE n_touches END",
    }
    columns = ["COALESCE(channel, '(none)') AS channel"]
    for model, share in shares.items():
        columns.append(f"CAST(SUM(converted * ({share})) AS DOUBLE) AS {model}_conversions")
        columns.append(f"CAST(SUM(converted * value * ({share})) AS DOUBLE) AS {model}_value")
    return query(
        parts,
        select(
            columns,
            "placed",
            where="channel IS NOT NULL OR n_touches = 0",
            then="GROUP BY COALESCE(channel, '(none)')\nORDER BY linear_conversions DESC, channel",
        ),
    )


def _journeys(
    asking: Asking, conversions: Sequence[str], *, channel: str, value: str | None, lookback_ms: int | None
) -> dict[str, str]:
    """Name the touches and conversions of each journey: what comes up to a conversion is of it."""
    if not conversions:
        raise ConfigError("there is no conversion; name the steps that are one")
    if lookback_ms is not None and lookback_ms < 1:
        raise ConfigError(f"the lookback is {lookback_ms} ms; expected more than 0")
    name = asking.dialect.name
    is_conversion = f"CASE WHEN step IN ({asking.texts(conversions)}) THEN 1 ELSE 0 END"
    amount = "0" if value is None else f"COALESCE({name(value)}, 0)"
    so_far = "PARTITION BY person ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    parts = {
        "told": asking.told(
            f"NULLIF(CAST({name(channel)} AS STRING), '') AS channel", f"CAST({amount} AS DOUBLE) AS amount"
        ),
        "numbered": asking.numbered("channel", f"{is_conversion} AS is_conversion", "amount"),
        "cut": select(
            [
                "person",
                f"COALESCE(SUM(is_conversion) OVER ({so_far}), 0) AS journey",
                "n",
                "at_ms",
                "channel",
                "is_conversion",
                "CASE WHEN is_conversion = 1 THEN amount END AS value",
            ],
            "numbered",
            where="channel IS NOT NULL OR is_conversion = 1",
        ),
    }
    # The conversion is the last of its journey; where there is none, the last touch is.
    since = "" if lookback_ms is None else f"ends_ms - at_ms <= {lookback_ms}"
    parts["ending"] = select(["*", "MAX(at_ms) OVER (PARTITION BY person, journey) AS ends_ms"], "cut")
    kept = "channel" if not since else f"CASE WHEN {since} THEN channel END AS channel"
    parts["journeys"] = select(
        ["person", "journey", "n", kept, "is_conversion", "value"],
        "ending",
        where="" if not since else f"{since} OR is_conversion = 1",
    )
    return parts
