"""The lake on the command line: status, compact, export and query, beside a folder that was imported."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from tests.cli.commands import answer, run
from tests.cli.test_commands import EVENTS, shop

__all__ = ["shop"]  # the fixture


@pytest.fixture
def imported(shop: Path) -> Path:
    """A shop whose events were imported, and that nobody has served."""
    path = shop / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    assert run("import", str(path)).exit_code == 0
    return shop


def test_what_is_not_in_files_is_answered_all_the_same(imported: Path) -> None:
    """The lake is one table, wherever rows lie."""
    asked = "SELECT name, count(*) AS n FROM steps GROUP BY name ORDER BY name"
    before = answer("lake", "query", asked)
    assert {"name": "Signed Up", "n": 1} in before
    assert answer("lake", "status")["position"] == 0

    assert answer("lake", "compact")["n_files"] > 0
    status = answer("lake", "status")
    assert status["position"] == status["engine_position"] > 0
    assert answer("lake", "query", asked) == before


def test_people_are_shown_tables(imported: Path) -> None:
    """The same in words."""
    assert "lake is" in run("lake", "compact").stdout
    assert "files of steps" in run("lake", "status").stdout
    assert "Signed Up" in run("lake", "query", "SELECT name FROM steps").stdout


@pytest.mark.parametrize("format", ["parquet", "csv", "jsonl"])
def test_tables_are_carried_away_one_file_each(imported: Path, format: str) -> None:
    """A warehouse loads them as they are."""
    written = answer("lake", "export", "out", "--table", "steps", "--table", "people", "--format", format)
    assert [Path(one["path"]).name for one in written] == [f"steps.{format}", f"people.{format}"]
    found = duckdb.sql(f"SELECT count(DISTINCT person_id) FROM '{imported}/out/people.{format}'").fetchall()
    assert found == [(2,)]


def test_all_tables_are_carried_away_where_none_is_named(imported: Path) -> None:
    """Also those without a row: whoever loads them finds every table."""
    written = run("lake", "export", "out")
    assert written.exit_code == 0
    names = {path.stem for path in (imported / "out").iterdir()}
    assert {"events", "sessions", "enrolments", "deliveries", "identities"} <= names
    assert "sessions.parquet" in written.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lake", "query", "SELECT nonsense FROM steps"], "nonsense"),
        (["lake", "export", "out", "--table", "sesions"], "no table of the lake"),
        (["lake", "export", "sojourn.yaml"], "cannot be made"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_why(imported: Path, arguments: list[str], said: str) -> None:
    """The question is wrong, not the folder."""
    result = run(*arguments)
    assert (result.exit_code, said in result.output) == (2, True)


def test_a_folder_without_data_has_no_lake(shop: Path) -> None:
    """Nothing is made by asking."""
    result = run("lake", "status")
    assert (result.exit_code, "no data is there yet" in result.output) == (2, True)
    assert not (shop / "data").exists()


QUESTIONS = {
    "nodes": ["--by", "session"],
    "matrix": [],
    "funnel": ["--step", "Signed Up", "--within", "30d"],
    "retention": ["--period", "week"],
    "paths": ["--conversion", "Signed Up", "--lookback", "30d"],
    "credit": ["--conversion", "Signed Up"],
}


def test_questions_are_printed_as_sql_that_the_lake_answers(imported: Path) -> None:
    """In place, over an export, and over the lake's own files by whom a row was about."""
    assert run("lake", "compact").exit_code == run("lake", "export", "out", "--table", "steps").exit_code == 0
    connection = duckdb.connect()
    connection.execute("CREATE VIEW steps AS FROM 'out/steps.parquet'")
    connection.execute("CREATE VIEW written AS FROM 'data/lake/steps/*/*.parquet'")
    for question, options in QUESTIONS.items():
        asked = run("lake", "sql", question, *options).stdout
        in_place = answer("lake", "query", asked)
        relation = connection.sql(asked)
        over_export = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        assert over_export == in_place != [], question
        files = run("lake", "sql", question, *options, "--table", "written", "--person", "profile_id")
        assert connection.sql(files.stdout).fetchall(), question


def test_sql_counts_what_the_journey_graph_counts(imported: Path) -> None:
    """Whichever command is asked."""
    assert run("lake", "export", "out", "--table", "steps").exit_code == 0
    mapping = "person=person_id,step=name,time=occurred_at,session=session_id,sequence=position"
    graph = answer("graph", "--events", "out/steps.parquet", "--map", mapping)
    told = answer("lake", "query", run("lake", "sql", "nodes").stdout)
    counted = ("name", "count", "people", "sessions", "starts", "ends", "returns")
    assert [[row[name] for name in counted] for row in told] == [
        [row[name] for name in counted]
        for row in sorted(graph["nodes"], key=lambda row: (-row["count"], row["name"]))
    ]


def test_sql_of_another_dialect_is_written_in_it() -> None:
    """Spark has its own quotes."""
    assert "`person_id`" in run("lake", "sql", "edges", "--dialect", "spark").stdout
    assert '"person_id"' in run("lake", "sql", "edges").stdout


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["edges", "--within", "7d"], "--within is of funnel"),
        (["paths", "--by", "session", "--conversion", "Buy"], "--by session: paths is of people"),
        (["funnel", "--step", "Buy", "--within", "soon"], "--within: "),
        (["funnel"], "0 steps: expected 1 to 32"),
        (["credit"], "there is no conversion"),
    ],
)
def test_an_option_of_another_question_is_refused(asked: list[str], message: str) -> None:
    """It would be left out in silence."""
    done = run("lake", "sql", *asked)
    assert done.exit_code == 2
    assert message in done.stderr
