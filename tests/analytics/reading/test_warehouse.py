"""Warehouse tables: Segment's and RudderStack's tables are one history, of people and not of devices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics.reading import Mapping, parse_mapping, read_events
from sojourn.analytics.reading.guessing import guess_attributes
from sojourn.model.errors import ConfigError
from tests.analytics.making import rows_of
from tests.soak import tries

BASE = "id, anonymous_id, user_id, timestamp, received_at"
TABLES = {
    "tracks": (
        f"{BASE}, event, event_text",
        [
            ("t1", "d1", None, "09:01", "09:01", "product_viewed", "Product Viewed"),
            ("t2", "d1", "ada", "09:05", "09:06", "order_completed", "Order Completed"),
            ("t2", "d1", "ada", "09:05", "09:07", "order_completed", "Order Completed"),
            ("t3", "d2", None, "10:00", "10:00", "product_viewed", "Product Viewed"),
            ("t4", "d1", None, "12:00", "12:00", "product_viewed", "Product Viewed"),
        ],
    ),
    "order_completed": (
        f"{BASE}, event, event_text, revenue, currency",
        [("t2", "d1", "ada", "09:05", "09:06", "order_completed", "Order Completed", 42.5, "EUR")],
    ),
    "pages": (
        f"{BASE}, name, path",
        [
            ("p1", "d1", None, "09:00", "09:00", None, "/tea"),
            ("p2", "d2", None, "09:59", "09:59", "Home", "/"),
        ],
    ),
    "identifies": (
        BASE,
        [("i1", "d1", "ada", "09:04", "09:04"), ("i2", "d1", "bob", "11:00", "11:00")],
    ),
    "users": ("id, received_at, email", [("ada", "09:04", "ada@shop.example")]),
}
EXPECTED = [
    ("ada", "page", "09:00"),
    ("ada", "Product Viewed", "09:01"),
    ("ada", "Order Completed", "09:05"),
    ("bob", "Product Viewed", "12:00"),
    ("d2", "Home", "09:59"),
    ("d2", "Product Viewed", "10:00"),
]

Lay = Callable[[dict[str, tuple[str, list[Any]]]], duckdb.DuckDBPyConnection]


def filled(tables: dict[str, tuple[str, list[Any]]], database: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """Make the tables in a database."""
    connection = duckdb.connect(database)
    for name, (columns, rows) in tables.items():
        names = columns.split(", ")
        kinds = {"timestamp": "TIMESTAMPTZ", "received_at": "TIMESTAMPTZ", "revenue": "DOUBLE"}
        typed = ", ".join(f"{column} {kinds.get(column, 'VARCHAR')}" for column in names)
        connection.execute(f"CREATE TABLE {name} ({typed})")
        times = [i for i, column in enumerate(names) if column in ("timestamp", "received_at")]
        for row in rows:
            cells = [f"2026-03-02 {cell}+00" if i in times else cell for i, cell in enumerate(row)]
            connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(cells))})", cells)
    return connection


def written(folder: Path, tables: dict[str, tuple[str, list[Any]]], form: str = "parquet") -> Path:
    """Write the tables as files."""
    connection = filled(tables)
    folder.mkdir(exist_ok=True)
    for name in tables:
        connection.execute(f"COPY {name} TO '{folder / name}.{form}' (FORMAT {form})")
    return folder


def told(source: Any, mapping: Mapping | None = None) -> list[tuple[str, str, str]]:
    """Read (person, step, hour and minute)."""
    rows = rows_of(read_events(source, mapping))
    return [(who, step, f"{at // 3_600_000 % 24:02}:{at // 60_000 % 60:02}") for who, step, at, _ in rows]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_folder_of_tables_is_one_history(tmp_path: Path, form: str) -> None:
    """A row of a table of one event is its row of `tracks`; devices are the people they were named as."""
    folder = written(tmp_path / "warehouse", TABLES, form)
    assert told(str(folder / f"*.{form}")) == EXPECTED
    assert told(folder) == EXPECTED
    assert read_events(folder).left_out == {"duplicate": 1}


def test_tables_may_be_folders_of_parts(tmp_path: Path) -> None:
    """As warehouses unload them."""
    for name, table in TABLES.items():
        (tmp_path / name).mkdir()
        filled({name: table}).execute(f"COPY {name} TO '{tmp_path / name}/part-0.parquet'")
    assert told(tmp_path) == EXPECTED


def test_a_database_is_read_with_all_its_schemas_and_nothing_else_of_it(tmp_path: Path) -> None:
    """Segment gives each source a schema; other tables of a warehouse are none of ours."""
    file = tmp_path / "warehouse.duckdb"
    with filled({"orders": ("number", [("7",)]), **TABLES}, str(file)) as connection:
        connection.execute("CREATE SCHEMA app")
        connection.execute("CREATE TABLE app.tracks AS FROM tracks WHERE id = 't3'")
        connection.execute("UPDATE app.tracks SET id = 'a1', anonymous_id = NULL, user_id = 'cid'")
    assert told(file) == [
        *EXPECTED[:4],
        ("cid", "Product Viewed", "10:00"),
        *EXPECTED[4:],
    ]


def test_properties_come_from_the_table_that_has_them(tmp_path: Path) -> None:
    """`tracks` has none."""
    folder = written(tmp_path / "w", TABLES)
    mapping = Mapping(attributes={"currency": "currency"}, values={"revenue": "revenue"})
    extras = [extra for *_, extra in rows_of(read_events(folder, mapping)) if extra]
    assert extras == [{"currency": "EUR", "revenue": 42.5}]


def test_sessions_are_rudderstacks_and_unknown_without(tmp_path: Path) -> None:
    """Sessions that nobody recorded are cut by silence, which a column of nothing would forbid."""
    columns, rows = TABLES["tracks"]
    tables = {"tracks": (f"{columns}, context_session_id", [(*row, "s1") for row in rows])}
    assert read_events(written(tmp_path / "a", TABLES)).session is None
    assert read_events(written(tmp_path / "b", tables)).session is not None


def test_who_asks_for_other_columns_gets_them(tmp_path: Path) -> None:
    """The mapping comes before what is known of such tables."""
    folder = written(tmp_path / "w", TABLES)
    people = {who for who, *_ in told(folder, parse_mapping("person=anonymous_id,time=received_at"))}
    assert people == {"d1", "d2"}


def test_rows_are_left_out_by_what_a_column_says(tmp_path: Path) -> None:
    """As in any file."""
    events = read_events(written(tmp_path / "w", TABLES), parse_mapping("event!=product_viewed"))
    assert events.left_out == {"excluded": 3, "duplicate": 1}


def test_a_file_that_is_no_table_of_it_is_refused_by_name(tmp_path: Path) -> None:
    """It would be left out in silence, or counted as what it is not."""
    folder = written(tmp_path / "w", {**TABLES, "orders": ("number", [("7",)])})
    with pytest.raises(ConfigError, match=r"orders\.parquet: lies beside tables of a warehouse"):
        read_events(folder)


def test_a_column_that_no_table_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """A misspelt attribute must not be one that nobody has."""
    with pytest.raises(ConfigError, match="no column 'currancy'; did you mean 'currency'"):
        read_events(written(tmp_path / "w", TABLES), Mapping(attributes={"c": "currancy"}))


def test_a_database_without_events_says_what_it_has(tmp_path: Path) -> None:
    """And so does a file that is none."""
    filled({"orders": ("number", [("7",)])}, str(tmp_path / "o.duckdb")).close()
    with pytest.raises(ConfigError, match=r"has no table of events, .* there are orders"):
        read_events(tmp_path / "o.duckdb")
    (tmp_path / "no.db").write_text("nothing of the kind, whatever its name says")
    with pytest.raises(ConfigError, match="cannot be opened as a DuckDB database"):
        read_events(tmp_path / "no.db")


def test_a_plain_file_that_is_called_like_a_table_is_a_plain_file(tmp_path: Path) -> None:
    """Only columns make a warehouse."""
    (tmp_path / "pages.csv").write_text("user_id,event,timestamp\nada,View,2026-03-02 09:00:00\n")
    assert told(tmp_path / "pages.csv") == [("ada", "View", "09:00")]


def test_no_attributes_are_guessed_of_several_tables(tmp_path: Path) -> None:
    """Each has columns of its own."""
    assert guess_attributes(written(tmp_path / "w", TABLES), Mapping()) == {}


@settings(max_examples=tries(15), deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("de"), st.sampled_from(["ada", "bob", None, None]), st.integers(0, 9)),
        min_size=1,
        max_size=12,
    )
)
def test_whose_an_event_is_follows_the_namings_of_its_device(
    rows: list[tuple[str, str | None, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Against a loop over all namings."""
    tracks = [
        (f"t{i}", device, user, f"09:0{minute}", f"09:0{minute}", "did", f"Did {i}")
        for i, (device, user, minute) in enumerate(rows)
    ]
    namings = [(minute, user, device) for device, user, minute in rows if user]

    def whose(device: str, user: str | None, minute: int) -> str:
        mine = sorted((at, who) for at, who, where in namings if where == device)
        before = [who for at, who in mine if at <= minute]
        return user or (before[-1] if before else mine[0][1] if mine else device)

    folder = written(tmp_path_factory.mktemp("w"), {"tracks": (TABLES["tracks"][0], tracks)})
    expected = {f"Did {i}": whose(*row) for i, row in enumerate(rows)}
    assert {step: who for who, step, *_ in rows_of(read_events(folder))} == expected
