"""Reading paths: what a file says is what is counted, and what cannot be counted is refused with its row."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings

from sojourn.analytics.attribution import Paths, Reading, read_paths
from sojourn.analytics.attribution import paths as paths_module
from sojourn.analytics.attribution import reading as reading_module
from sojourn.analytics.attribution.reading import parse_columns
from sojourn.analytics.tables import Table
from sojourn.model.errors import ConfigError
from tests.analytics.attribution.making import ask, conversions_of, read, row_lists, table_of, write_csv
from tests.analytics.attribution.oracles import Row
from tests.soak import tries


def told(paths: Paths) -> dict[tuple[str, ...], tuple[float, float, float]]:
    """Return what each path brought, by its touches."""
    rows: dict[tuple[str, ...], tuple[float, float, float]] = {}
    for i in range(len(paths)):
        codes = paths.codes[paths.offsets[i] : paths.offsets[i + 1]].tolist()
        path = tuple(paths.channels[code] for code in codes)
        assert path not in rows
        rows[path] = (float(paths.conversions[i]), float(paths.value[i]), float(paths.nulls[i]))
    return rows


@settings(max_examples=tries(40), deadline=None)
@given(rows=row_lists())
def test_rows_of_one_path_are_summed(rows: list[Row]) -> None:
    """Against a dictionary; and the sample holds the same journeys."""
    expected: dict[tuple[str, ...], tuple[float, float, float]] = {}
    for row in rows:
        sums = expected.get(row.path, (0.0, 0.0, 0.0))
        expected[row.path] = (sums[0] + row.conversions, sums[1] + row.value, sums[2] + row.nulls)
    paths = read(*rows)
    assert told(paths) == {path: pytest.approx(sums) for path, sums in expected.items()}
    for each, whole in (("conversions", paths.conversions), ("value", paths.value), ("nulls", paths.nulls)):
        sums_by_path = np.bincount(paths.sample.path, getattr(paths.sample, each), len(paths))
        np.testing.assert_array_equal(sums_by_path, whole)


def test_a_file_says_the_same_in_every_form(tmp_path: Path) -> None:
    """CSV, packed or not, TSV, Parquet."""
    rows = [Row(("a", "b"), 2, 5, 1), Row(("b",), 0, 0, 4)]
    plain = write_csv(tmp_path / "p.csv", "a > b,2,5,1", "b,0,0,4")
    packed, tabbed, columns = (tmp_path / name for name in ("q.csv.gz", "r.tsv", "s.parquet"))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    tabbed.write_text(plain.read_text().replace(",", "\t"))
    table_of(rows).relation().write_parquet(str(columns))
    assert [told(read_paths(file)) for file in (plain, packed, tabbed, columns)] == [told(read(*rows))] * 4


def test_value_and_nulls_may_be_missing_columns(tmp_path: Path) -> None:
    """Then there is no value, and only converting paths."""
    file = tmp_path / "p.csv"
    file.write_text("Path,TOTAL_CONVERSIONS\na > b,2\n")
    assert told(read_paths(file)) == {("a", "b"): (2.0, 0.0, 0.0)}


def test_names_that_look_like_numbers_are_names(tmp_path: Path) -> None:
    """`001` and `1` are two channels."""
    paths = read_paths(write_csv(tmp_path / "p.csv", "001 > 1,1,0,0", "1,1,0,0"))
    assert paths.channels == ("001", "1")


def test_shuffled_rows_and_other_names_are_the_same_to_every_model() -> None:
    """Nothing depends on the order of a file or of the alphabet."""
    random = np.random.default_rng(4)
    rows = [
        Row(tuple("abcd"[j] for j in random.integers(0, 4, random.integers(1, 6))), i % 3, 7 * (i % 3), 2)
        for i in range(60)
    ]
    names = dict(zip("abcd", ("z", "m", "q", "b"), strict=True))
    other = [row._replace(path=tuple(names[c] for c in row.path)) for row in reversed(rows)]
    for model in ("first", "linear", "u-shaped", "markov", "shapley", "shapley-rate"):
        before, after = (conversions_of(ask(read(*each), model)) for each in (rows, other))
        assert {names[channel]: credit for channel, credit in before.items()} == pytest.approx(
            after, abs=1e-9
        )


@pytest.mark.parametrize(
    ("path", "touches"),
    [
        (" a >  b ", ("a", "b")),
        ("a > b > ", ("a", "b")),
        ("a > b >", ("a", "b")),
        (" > a > b", ("a", "b")),
        ("> a", ("a",)),
        (">", ()),
        ("", ()),
        ("  ", ()),
    ],
)
def test_blanks_and_stray_separators_at_the_ends_are_no_touches(path: str, touches: tuple[str, ...]) -> None:
    """A path is what is between them; nothing at all is a path without a touch."""
    paths = read_paths(Table({"path": [path], "total_conversions": [3]}))
    assert told(paths) == {touches: (3.0, 0.0, 0.0)}


def test_stray_separators_are_counted() -> None:
    """What is left out is said."""
    paths = read_paths(Table({"path": ["a > b > ", "a >", ""], "total_conversions": [1, 1, 1]}))
    assert paths.left_out == {"touches-without-a-name": 2}


@pytest.mark.parametrize("path", ["a >  > b", "a > > b", "a >   > b"])
def test_a_touch_without_a_name_inside_a_path_is_refused(path: str) -> None:
    """It was somebody's channel; which, only the file's owner can say."""
    with pytest.raises(ConfigError, match=r"touch \d of the path .* has no name"):
        read_paths(Table({"path": [path], "total_conversions": [1]}))


def test_touches_without_a_name_can_be_dropped_and_are_counted() -> None:
    """By a rule that was asked for."""
    source = Table({"path": ["a >  > b"], "total_conversions": [1]})
    paths = read_paths(source, Reading(empty_touches="drop"))
    assert told(paths) == {("a", "b"): (1.0, 0.0, 0.0)}
    assert paths.left_out == {"touches-without-a-name": 1}


def test_a_name_with_the_separators_mark_is_refused_until_the_separator_is_said() -> None:
    """`a>b` may be two touches or one name: a guess would be a silent wrong number."""
    source = Table({"path": ["a>b > c"], "total_conversions": [1]})
    with pytest.raises(ConfigError, match="Say which separator the file has"):
        read_paths(source)
    assert told(read_paths(source, Reading(separator=" > "))) == {("a>b", "c"): (1.0, 0.0, 0.0)}
    assert told(read_paths(source, Reading(separator=">"))) == {("a", "b", "c"): (1.0, 0.0, 0.0)}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,-1,0,0", "total_conversions is -1"),
        ("a,nan,0,0", "total_conversions is nan"),
        ("a,inf,0,0", "total_conversions is inf"),
        ("a,,0,0", "total_conversions is missing"),
        ("a,many,0,0", "total_conversions is 'many'; expected a number"),
        ("a,1,-2,0", "total_conversion_value is -2"),
        ("a,1,,0", "total_conversion_value is missing"),
        ("a,1,2,-3", "total_null is -3"),
        ("a,1,2,", "total_null is missing"),
        ("a,0,some,5", "total_conversion_value is 'some'; expected a number"),
        ("a,0,nan,5", "total_conversion_value is nan"),
        ("a,0,2,5", "there is a value and no conversion"),
    ],
)
def test_numbers_that_cannot_be_counted_are_refused_with_their_row(
    tmp_path: Path, line: str, reason: str
) -> None:
    """The row is the one a person finds in the file."""
    file = write_csv(tmp_path / "p.csv", "b,1,1,1", line, "c,1,1,1")
    with pytest.raises(ConfigError, match=f"row 2: {reason}"):
        read_paths(file)


def test_a_missing_value_of_no_conversion_is_none(tmp_path: Path) -> None:
    """There is nothing it could be the value of."""
    paths = read_paths(write_csv(tmp_path / "p.csv", "a,0,,5", "b,1,2,0"))
    assert told(paths) == {("a",): (0.0, 0.0, 5.0), ("b",): (1.0, 2.0, 0.0)}


def test_counts_may_be_fractions(tmp_path: Path) -> None:
    """Counts that were weighted are counts."""
    paths = read_paths(write_csv(tmp_path / "p.csv", "a,0.5,1,0.25", "a,0.25,1,0"))
    assert told(paths) == {("a",): (0.75, pytest.approx(2.0), 0.25)}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.xlsx", "", "expected a file named"),
        ("p.parquet.gz", "", "expected a file named"),
        ("absent.csv", None, "there is no such file"),
        ("p.csv", "way,total_conversions\na,1\n", "expected a column 'path'"),
        ("p.csv", "path,conversions\na,1\n", "expected a column 'total_conversions'"),
        ("p.parquet", "no parquet", "p.parquet"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    """With what was expected."""
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_paths(tmp_path / name)


def test_a_separator_of_nothing_is_refused() -> None:
    """It would part every letter."""
    with pytest.raises(ConfigError, match="the separator is empty"):
        read_paths(Table({"path": ["a"], "total_conversions": [1]}), Reading(separator=""))


def test_too_many_channels_are_taken_for_a_wrong_separator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound has a name and a message."""
    monkeypatch.setattr(reading_module, "MAX_CHANNELS", 2)
    with pytest.raises(ConfigError, match="is the separator ' > '"):
        read(Row(("a", "b", "c"), 1))


def test_channels_have_a_bound_wherever_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping that takes ids for channels must not eat the memory."""
    monkeypatch.setattr(paths_module, "MAX_CHANNELS", 2)
    with pytest.raises(ConfigError, match="there are 3 channels; at most 2"):
        read(Row(("a", "b", "c"), 1))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("keep", {("direct", "a", "direct", "direct", "b", "direct"), ("direct", "direct")}),
        ("drop", {("a", "b"), ("direct", "direct")}),
        ("last-non-direct", {("direct", "a", "direct", "direct", "b"), ("direct", "direct")}),
        ("merge", {("direct", "a", "b"), ("direct",)}),
    ],
)
def test_direct_traffic_is_treated_by_the_rule_and_the_rule_is_told(
    rule: str, expected: set[tuple[str, ...]]
) -> None:
    """A path that holds nothing else never loses its last touch."""
    rows = [Row(("direct", "a", "direct", "direct", "b", "direct"), 1), Row(("direct", "direct"), 1)]
    paths = read_paths(table_of(rows), Reading(direct=rule))  # type: ignore[arg-type]
    assert set(told(paths)) == expected
    assert paths.rules["direct"].startswith(f"{rule}: ")


def test_direct_traffic_can_have_another_name() -> None:
    """As the tool writes it."""
    rows = [Row(("typed in", "a"), 1)]
    paths = read_paths(table_of(rows), Reading(direct="drop", direct_names=("Typed In",)))
    assert set(told(paths)) == {("a",)}


def test_a_direct_rule_that_is_none_is_refused() -> None:
    """With the rules there are."""
    with pytest.raises(ConfigError, match="there are keep, drop, last-non-direct, merge"):
        read_paths(table_of([Row(("a",), 1)]), Reading(direct="forget"))  # type: ignore[arg-type]


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    """Whoever calls ChannelAttribution names them, too; what is not there is refused with the nearest."""
    file = tmp_path / "p.csv"
    file.write_text("journey,conv,none\na > b,2,1\n")
    columns = parse_columns("path=journey, total_conversions=conv,total_null=none")
    assert told(read_paths(file, Reading(columns=columns))) == {("a", "b"): (2.0, 0.0, 1.0)}
    with pytest.raises(ConfigError, match="no column 'jorney'; did you mean 'journey'"):
        read_paths(file, Reading(columns={"path": "jorney"}))
    with pytest.raises(ConfigError, match="'null' is no part of a path"):
        read_paths(file, Reading(columns={"null": "none"}))
    with pytest.raises(ConfigError, match="expected what=column, each once, got 'path'"):
        parse_columns("path")


def test_a_relation_and_whatever_gives_its_rows_once_are_read(tmp_path: Path) -> None:
    """Paths come from a query, or from an engine beyond this machine."""
    relation = duckdb.connect().sql("SELECT 'a > b' AS path, 2 AS total_conversions")
    assert told(read_paths(relation)) == {("a", "b"): (2.0, 0.0, 0.0)}
    with pytest.raises(ConfigError, match="int: is no table that could be read"):
        read_paths(5)
