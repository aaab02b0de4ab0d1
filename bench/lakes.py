"""Lakes: a data folder whose lake holds so many events of a shop, written directly in the lake's own files.

People come over thirty days, in visits; most of them sign in at some visit and are one with their device
from then on, and one visit in a hundred was moved by a late event. A server can go on from the folder: its
log says that all this has been, and has none of it. The same arguments write the same rows.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import duckdb
import msgspec
import numpy as np

from sojourn.adapters.lake.columns import DUCKDB_TYPES
from sojourn.adapters.lake.files import PARTITION, name_of
from sojourn.adapters.lake.writing import FORMAT, PROGRESS, Written
from sojourn.adapters.sqlite import SqliteLog, SqliteStore
from sojourn.model.lake import DAY_MS, EVENTS, TABLES, VERSION, Reach

STEPS = (
    "Home Viewed", "Product Viewed", "Category Viewed", "Search Made", "Results Viewed", "Photos Viewed",
    "Reviews Read", "Product Added", "Cart Viewed", "Product Removed", "Coupon Entered", "Coupon Denied",
    "Checkout Started", "Address Entered", "Shipping Chosen", "Payment Entered", "Payment Failed",
    "Order Completed", "Account Viewed", "Help Viewed", "Blog Read", "Wishlist Viewed", "Signed Up",
)  # fmt: skip
CHANNELS = ("direct", "organic", "paid", "email", "social", "affiliate", "referral", "display")
DAYS = 30
T0 = 1_767_225_600_000  # 2026-01-01
EVENTS_A_PERSON, EVENTS_A_VISIT = 10, 4
SHARE_NAMED = 0.6
SHARE_REVISED = 0.01
MARK = bytes(range(16))
_pack = msgspec.msgpack.encode

_MACROS = """
CREATE MACRO steps() AS {steps};
CREATE MACRO channels() AS {channels};
CREATE MACRO profile(is_named, person) AS
    CASE WHEN is_named THEN printf('u:%08d', person) ELSE printf('a:%016x', hash(person)) END;
CREATE MACRO visit(visit, is_late) AS printf('%016x%04x', hash(visit, is_late), visit % 65536);
"""
_EVENTS = """
SELECT position, make_timestamp_ms(moment) AS logged_at, make_timestamp_ms(moment) AS occurred_at,
       make_timestamp_ms(moment) AS received_at, 'shop' AS source, printf('m%012d', position) AS message_id,
       'track' AS kind, steps()[step + 1] AS name, printf('%016x', hash(person)) AS anonymous_id,
       CASE WHEN is_named THEN printf('%08d', person) END AS user_id,
       profile(is_named, person) AS profile_id,
       visit(visit, is_late) AS session_id,
       channels()[channel + 1] AS channel,
       CASE WHEN step = 17 THEN printf('{"revenue":%d.5}', 5 + position % 90) END AS properties,
       ['desktop', 'mobile', 'tablet'][1 + person % 3] AS device_kind,
       ['DE', 'FR', 'US', 'GB', 'IT'][1 + person % 5] AS country
FROM rows
"""
_IDENTITIES = """
SELECT row_number() OVER (ORDER BY position) AS fact_group, 0 AS fact_n, position,
       make_timestamp_ms(moment) AS logged_at, printf('u:%08d', person) AS profile_id, 'identified' AS change,
       printf('%016x', hash(person)) AS anonymous_id, 'both_ids' AS how,
       printf('m%012d', position) AS message_id
FROM (
    SELECT person, min(position) AS position, arg_min(moment, position) AS moment
    FROM rows WHERE is_named GROUP BY person
)
"""
_VISITS = """
SELECT row_number() OVER (ORDER BY position) AS fact_group, 1 AS fact_n, position,
       make_timestamp_ms(moment) AS logged_at,
       profile(is_named, person) AS profile_id,
       CASE WHEN is_late THEN 'revised' ELSE 'started' END AS change,
       visit(visit, is_late) AS session_id,
       CASE WHEN is_late THEN visit(visit, false) END AS replaces,
       make_timestamp_ms(moment) AS started_at, channels()[channel + 1] AS channel
FROM (
    SELECT visit, is_late, any_value(person) AS person, any_value(channel) AS channel,
           min(position) AS position, arg_min(moment, position) AS moment,
           arg_min(is_named, position) AS is_named
    FROM rows GROUP BY visit, is_late
)
"""


def write_lake(data: Path, n_events: int, *, seed: int = 1) -> None:
    """Write a data folder with `n_events` in its lake; its log and store begin after them."""
    data.mkdir(parents=True)
    rows = _rows(n_events, np.random.default_rng(seed))
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = true")
    connection.register("rows", rows)
    connection.execute(_MACROS.format(steps=list(STEPS), channels=list(CHANNELS)))
    for name, sql, first in (
        (EVENTS.name, _EVENTS, "position"),
        ("identity_changes", _IDENTITIES, "fact_group"),
        ("session_changes", _VISITS, "fact_group"),
    ):
        _write(connection, data / "lake" / name, sql, first)
    connection.close()
    reach = Reach(n_events, n_events, T0 + DAYS * DAY_MS)
    (data / "lake" / PROGRESS).write_bytes(msgspec.json.encode(Written(VERSION, reach, MARK.hex())))
    _write_databases(data, reach)


def _rows(n_events: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw who did what when, in the order of time."""
    n_visits, n_people = n_events // EVENTS_A_VISIT, max(n_events // EVENTS_A_PERSON, 1)
    visit_person = random.integers(0, n_people, n_visits)
    visit_at = T0 + (random.random(n_visits) * (DAYS * DAY_MS - 3_600_000)).astype(np.int64)
    visit_channel = random.integers(0, len(CHANNELS), n_visits)
    named_at = T0 + (random.random(n_people) / SHARE_NAMED * DAYS * DAY_MS).astype(np.int64)
    is_revised = random.random(n_visits) < SHARE_REVISED
    visit = np.sort(random.integers(0, n_visits, n_events))
    place = np.arange(n_events) - np.searchsorted(visit, visit)
    at = visit_at[visit] + place * 20_000 + random.integers(0, 20_000, n_events)
    weights = 1 / np.arange(2, len(STEPS) + 2)
    step = random.choice(len(STEPS), n_events, p=weights / weights.sum())
    person = visit_person[visit]
    rows = {
        "moment": at, "person": person, "visit": visit, "step": step, "channel": visit_channel[visit],
        "is_named": visit_at[visit] >= named_at[person], "is_late": is_revised[visit] & (place >= 2),
    }  # fmt: skip
    order = np.argsort(at, kind="stable")
    return {name: column[order] for name, column in rows.items()} | {"position": np.arange(1, n_events + 1)}


def _write(connection: duckdb.DuckDBPyConnection, place: Path, sql: str, first: str) -> None:
    """Write one file a day, sorted as days that are over are."""
    table = TABLES[place.name]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS {sql}")
    days = connection.execute(
        f"SELECT CAST(logged_at AS DATE), min({first}), max({first}) FROM made GROUP BY 1 ORDER BY 1"
    ).fetchall()
    given = {column[0] for column in connection.execute("DESCRIBE made").fetchall()}
    columns = ", ".join(
        column.name if column.name in given else f"CAST(NULL AS {DUCKDB_TYPES[column.kind]}) AS {column.name}"
        for column in table.columns
    )
    for day, low, high in days:
        folder = place / f"{PARTITION}{day}"
        folder.mkdir(parents=True)
        connection.execute(
            f"COPY (SELECT {columns} FROM made WHERE CAST(logged_at AS DATE) = '{day}' "
            f"ORDER BY profile_id, {first}) TO '{folder / f'{name_of(low, high)}.parquet'}' ({FORMAT})"
        )
    connection.execute("DROP TABLE made")


def _write_databases(data: Path, reach: Reach) -> None:
    """Let log and store begin where the lake ends."""
    store = SqliteStore(data)
    store.close()
    SqliteLog(data).close()
    with sqlite3.connect(data / "log.db") as log:
        log.execute(
            "INSERT INTO blocks VALUES (?, 1, ?, ?, ?, ?)",
            (reach.position, reach.clock, reach.clock, MARK, b"[]"),
        )
    with sqlite3.connect(data / "state.db") as state:
        state.execute(
            "INSERT INTO commits VALUES (1, ?, ?, ?, ?, ?)",
            (
                reach.position,
                reach.clock,
                reach.group,
                msgspec.msgpack.encode([0, 0, 0]),
                msgspec.msgpack.encode({}),
            ),
        )


if __name__ == "__main__":
    write_lake(Path(sys.argv[1]), int(sys.argv[2]))
