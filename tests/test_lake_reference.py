"""The lake's reference is what the code says; `python -m tests.test_lake_reference` writes it anew."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from msgspec.structs import fields

from sojourn.adapters.lake import NAMES
from sojourn.definitions.journey import Catalogue
from sojourn.model.fact import Fact, StepTaken
from sojourn.model.lake import DERIVED, EVENTS, FACT_TABLES, PERSON, Column, Table
from tests.adapters.lake.folders import T0, Folder, event

PAGE = Path(__file__).parents[1] / "docs/reference/lake.md"
TYPES = {
    "text": "VARCHAR",
    "names": "VARCHAR, names joined by commas",
    "json": "VARCHAR, JSON",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
    "instant": "TIMESTAMP",
}
HEAD = """\
# The lake

All events and facts as tables, for analysis. A server writes them to `lake/` in its data folder;
how to ask them stands in [query the lake](../how-to/query-the-lake.md), and why it is as it is in
[decision 15](../adr/0015-the-lake.md). This page is written from the code (`make docs`).

- Instants are timestamps in UTC, to the millisecond. Where there is nothing to say, a column is
  NULL; an empty text is NULL too.
- `properties`, `traits`, `context` and `judged` are JSON as text. No column is a list or a struct.
- Files lie by day: `lake/<table>/date=YYYY-MM-DD/*.parquet`, the day of `logged_at` in UTC. What
  happened offline may have an `occurred_at` of days before.
- A row is never changed. `profile_id` is whom it was about when it was written. `sojourn lake` and
  `sojourn.wiring.lake.open_lake` add `person_id`, who that is by now, and give `events` and `steps`
  the `session_id` of the visit as it is by now.
- (`fact_group`, `fact_n`) names a row of every table of facts, and orders all facts; `position`
  names a row of `events`.
"""


def page() -> str:
    """Write the page."""
    parts = [HEAD, "\n## In files\n"]
    parts += [described(table) for table in (EVENTS, *FACT_TABLES)]
    parts += [
        "\n## Computed when they are asked\n\n"
        "By `sojourn lake query` and `export`, and by `open_lake`: they rest on all rows, so a late event\n"
        "or a merge of people changes them.\n"
    ]
    parts += [described(table) for table in DERIVED]
    return "".join(parts)


def described(table: Table) -> str:
    """Write one table's part of the page."""
    kinds = [kind.__name__ for kind in table.facts]
    made = f" Facts: {', '.join(f'`{kind}`' for kind in kinds)}." if kinds else ""
    rows = "".join(described_column(column) for column in table.columns)
    head = "| Column | Type | Meaning |\n| --- | --- | --- |\n"
    return f"\n### `{table.name}`\n\n{table.meaning}{made}\n\n{head}{rows}"


def described_column(column: Column) -> str:
    """Write one column's row."""
    return f"| `{column.name}` | {TYPES[column.kind]} | {column.meaning} |\n"


def test_the_reference_of_the_lake_is_what_the_code_says() -> None:
    """A column that is described elsewhere than it is made drifts; write it anew with `make docs`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_kind_of_fact_makes_rows_of_one_table() -> None:
    """A fact that is added and forgotten here would be lost to every analysis."""
    made = [kind for table in FACT_TABLES for kind in table.facts]
    assert sorted(kind.__name__ for kind in made) == sorted(kind.__name__ for kind in get_args(Fact))


def test_every_field_of_every_fact_is_in_a_column() -> None:
    """What a step's event says of itself is in `events`, under the same position."""
    left_out = {(StepTaken, "message_id")}
    missing = {
        (kind, field.name)
        for table in FACT_TABLES
        for kind in table.facts
        for field in fields(kind)
        if field.name not in {column.field for column in table.columns}
    }
    assert missing == left_out


def test_every_table_has_the_columns_that_are_written_down(tmp_path: Path) -> None:
    """What a query may rely on, in this order."""
    folder = Folder(tmp_path, Catalogue(journeys={}))
    folder.live([event(1)], now=T0)
    described = {table.name: [column.name for column in table.columns] for table in DERIVED}
    for table in (EVENTS, *FACT_TABLES):
        described[table.name] = [*(column.name for column in table.columns), "date", PERSON.name]
    with folder.reading() as reading:
        found = {name: list(reading.table(name).columns) for name in NAMES}
        types = {
            name: dict(zip(reading.table(name).columns, map(str, reading.table(name).types), strict=True))
            for name in NAMES
        }
    assert found == described
    for table in (EVENTS, *FACT_TABLES, *DERIVED):
        for column in table.columns:
            assert types[table.name][column.name] == TYPES[column.kind].partition(",")[0]
    folder.close()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
