"""Unit tables: one row a person, with the arm and what came of it: an experiment that was run elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.experiments.comparing import Pair, compared, decided, with_segments
from sojourn.analytics.experiments.reporting import control_of, control_warning, warnings_of
from sojourn.analytics.experiments.results import Arm, Compared, Decision, Ratio, Report
from sojourn.analytics.experiments.rules import Rule
from sojourn.analytics.experiments.samples import Sample
from sojourn.analytics.experiments.segments import Attribute, corrected, segmented
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.analytics.statistics.fixed import welch
from sojourn.analytics.statistics.mismatch import MAX_P, MAX_P_ONCE, chi_square_p, sequential_p
from sojourn.analytics.statistics.moments import moments_of
from sojourn.definitions.counts import counted
from sojourn.definitions.metrics import Metric
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TableKind = Literal["conversion", "count", "value", "ratio"]
MAX_ARMS = 50  # more are no arms, but a column of something else.

Numbers = NDArray[np.float64]


class TableAsked(Struct, frozen=True, kw_only=True):
    """What is asked of a table."""

    arm: str
    """The column that says the arm."""
    metrics: tuple[str, ...]
    """Columns: `visit`, `spend:value`, `spend/orders:ratio`."""
    control: str | None = None
    covariate: str | None = None
    """A column from before the assignment."""
    segments: tuple[str, ...] = ()
    """Columns from before the assignment."""
    shares: Mapping[str, float] = {}
    """What each arm should have; none: equal shares."""
    rule: Rule = Rule()


def report_table(file: Path, asked: TableAsked) -> Report:
    """Compare the arms of a table.

    Args:
        file: Parquet or CSV, one row a person.
        asked: Which columns say what.

    Raises:
        ConfigError: A column is missing, or says no number for somebody.
        InputError: The file is damaged.
    """
    if asked.rule.method == "planned-looks":
        raise ConfigError(
            "--method planned-looks: a table does not say who came first; use always-valid or fixed"
        )
    metrics = _each_once([_metric(text) for text in asked.metrics])
    with _Table(file) as table:
        read = _read(table, asked, metrics)
    control = control_of(read.arms, asked.control)
    pairs = [
        _pair(metric, read, (code, read.arms.index(control)))
        for metric in metrics
        for code, name in enumerate(read.arms)
        if name != control
    ]
    ratio, arms = _ratio(read, asked.shares)
    stop: Decision | None = "sample ratio mismatch: do not read" if ratio.is_mismatch else None
    done = decided([compared(pair, asked.rule) for pair in pairs], pairs, alpha=asked.rule.alpha, stop=stop)
    done = _with_segments(done, pairs, read, asked.rule)
    return Report(
        experiment=file.name,
        control=control,
        arms=arms,
        people=int((read.arm >= 0).sum()),
        first_at_ms=None,
        last_at_ms=None,
        until_ms=None,
        allocation="fixed",
        multiple=0,
        multiple_share=0.0,
        ratio=ratio,
        comparisons=done,
        warnings=[
            *warnings_of(done, asked.rule, ratio=ratio, multiple_share=0.0),
            *control_warning(control, asked.control, read.arms),
            *_left_out(read.arm),
        ],
        definition=_definition(file, asked, control),
    )


def _left_out(arm: NDArray[np.int64]) -> list[str]:
    n = int((arm < 0).sum())
    return [f"{counted(n, 'row')} without an arm left out."] if n else []


def _definition(file: Path, asked: TableAsked, control: str) -> dict[str, Any]:
    return {
        "unit": f"a row of {file.name}",
        "arm": asked.arm,
        "control": control,
        "metrics": [*dict.fromkeys(asked.metrics)],
        "covariate": asked.covariate,
        "segments": [*dict.fromkeys(asked.segments)],
        "method": asked.rule.method,
        "level": asked.rule.level,
        "correction": "Benjamini-Hochberg over all comparisons",
    }


class _Read(Struct, frozen=True):
    """What of a table was asked for; arrays are (n_rows,)."""

    arms: list[str]
    arm: NDArray[np.int64]
    """An index into `arms`; -1: none."""
    numbers: dict[str, Numbers]
    covariate: Numbers | None
    attributes: list[Attribute]


def _read(table: _Table, asked: TableAsked, metrics: Sequence[Metric]) -> _Read:
    arms, arm = table.codes(asked.arm)
    if len(arms) > MAX_ARMS:
        raise ConfigError(f"{asked.arm!r} has {len(arms)} values; at most {MAX_ARMS} arms are compared")
    if len(arms) < 2:
        names = f"only {arms[0]!r}" if arms else "no row"
        raise ConfigError(f"--arm {asked.arm}: two arms or more are compared, and there is {names} in it")
    columns = {name for one in metrics for name in (one.numerator, one.denominator) if name}
    attributes = []
    for name in dict.fromkeys(asked.segments):
        values, codes = table.codes(name)
        attributes.append(Attribute(name, codes, values))
    numbers = {name: table.numbers(name) for name in sorted(columns)}
    for one in metrics:
        if one.kind == "conversion" and not np.isin(numbers[one.numerator], (0, 1)).all():
            raise ConfigError(
                f"--metric {one.name}:conversion: a conversion is 0 or 1, and {one.numerator!r} says other "
                f"numbers; take {one.name}:count or {one.name}:value"
            )
    covariate = None if asked.covariate is None else table.numbers(asked.covariate)
    if covariate is not None:
        _check_covariate(str(asked.covariate), covariate, arm, len(arms))
    return _Read(arms, arm, numbers, covariate, attributes)


def _check_covariate(name: str, covariate: Numbers, arm: NDArray[np.int64], n_arms: int) -> None:
    """Refuse a covariate that differs between arms: taking it out would take a part of the effect with it."""
    each = [moments_of(covariate[arm == code]) for code in range(n_arms)]
    tests = [welch(a, b) for i, a in enumerate(each) for b in each[:i]]
    if min(one.p for one in tests) * len(tests) < MAX_P_ONCE:
        raise ConfigError(
            f"--covariate {name}: the arms differ in it, more than chance allows; it should be from before "
            "the assignment, for what an arm changes takes a part of its effect away: leave it out"
        )


def _with_segments(done: list[Compared], pairs: Sequence[Pair], read: _Read, rule: Rule) -> list[Compared]:
    found = [
        [
            segmented(pair, Attribute(one.name, one.codes[pair.unit], one.values), rule)
            for one in read.attributes
        ]
        for pair in pairs
    ]
    tested = corrected(found, alpha=rule.alpha)
    return [with_segments(one, each) for one, each in zip(done, tested, strict=True)]


def _metric(text: str) -> Metric:
    """Read `visit`, `visit:conversion` or `spend/orders`; the columns stand where a ratio's parts do."""
    columns, _, kind = text.partition(":")
    above, _, below = columns.partition("/")
    kind = kind or ("ratio" if below else "value")
    if kind not in get_args(TableKind) or not above or bool(below) != (kind == "ratio"):
        known = ", ".join(get_args(TableKind))
        raise ConfigError(
            f"--metric {text!r}: expected COLUMN, COLUMN:KIND (one of {known}) or COLUMN/COLUMN for a ratio"
        )
    return Metric(name=columns, kind=cast(TableKind, kind), numerator=above, denominator=below, before_ms=0)


def _each_once(metrics: Sequence[Metric]) -> list[Metric]:
    """Ask nothing twice: it would count twice in the correction."""
    return [*{(one.name, one.kind): one for one in metrics}.values()]


def _pair(metric: Metric, read: _Read, codes: tuple[int, int]) -> Pair:
    some = np.flatnonzero(np.isin(read.arm, codes))
    covariate = None if read.covariate is None or metric.denominator else read.covariate[some]
    below = read.numbers[metric.denominator][some] if metric.denominator else None
    return Pair(
        metric,
        read.arms[codes[0]],
        some,
        Sample(read.numbers[metric.numerator][some], below, covariate),
        read.arm[some] == codes[0],
        np.zeros(len(some), dtype=np.int64),
        is_timed=False,
    )


def _ratio(read: _Read, shares: Mapping[str, float]) -> tuple[Ratio, list[Arm]]:
    arm, arms = read.arm, read.arms
    counts = np.bincount(arm[arm >= 0], minlength=len(arms)).tolist()
    for name in shares:
        if name not in arms:
            raise ConfigError(f"--shares: no arm is named {name!r}{did_you_mean(name, arms)}")
    wanted = [shares.get(name, 0.0) if shares else 1.0 for name in arms]
    for name, share in zip(arms, wanted, strict=True):
        if not (share > 0 and math.isfinite(share)):
            raise ConfigError(f"--shares: expected a number above 0 for each arm; {name!r} has none")
    whole, n = sum(wanted), sum(counts)
    rows = [
        Arm(variant=name, people=count, expected_share=share / whole, expected_people=n * share / whole)
        for name, count, share in zip(arms, counts, wanted, strict=True)
    ]
    p = sequential_p(counts, wanted)
    source = "as --shares says" if shares else "equal shares, since nobody said others"
    once = chi_square_p(counts, wanted)
    return Ratio(p=p, p_once=once, is_mismatch=p < MAX_P, source=source), rows


class _Table:
    """A file, column by column."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> _Table:
        import duckdb  # noqa: PLC0415 - it takes longer to load than the command line's help

        if not self._file.is_file():
            raise ConfigError(f"{self._file}: there is no such file")
        self._connection: DuckDBPyConnection = duckdb.connect()
        try:
            self._connection.execute(f"create temp table units as select * from {text_sql(str(self._file))}")
        except duckdb.Error as error:
            self._connection.close()
            reason = f"cannot be read ({str(error).splitlines()[0]}); give Parquet or CSV"
            raise InputError("damaged-file", reason, path=str(self._file)) from None
        self._types = {name: kind for name, kind, *_ in self._connection.execute("describe units").fetchall()}
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def codes(self, column: str) -> tuple[list[str], NDArray[np.int64]]:
        """Return (the values, sorted; each row's place among them, -1 where it has none)."""
        self._check(column)
        name = quoted(column)
        found = self._connection.execute(
            f"select distinct {name}::varchar from units where {name} is not null order by 1"
        ).fetchall()
        values = [value for (value,) in found]
        place = {value: i for i, value in enumerate(values)}
        rows = self._connection.execute(f"select {quoted(column)}::varchar from units").fetchnumpy()
        (cells,) = rows.values()
        found_in = [place.get(cell, -1) for cell in np.ma.filled(cells, None).tolist()]
        return values, np.array(found_in, dtype=np.int64)

    def numbers(self, column: str) -> Numbers:
        """Return one number a row."""
        self._check(column)
        rows = self._connection.execute(f"select try_cast({quoted(column)} as double) as x from units")
        found = np.ma.filled(rows.fetchnumpy()["x"], np.nan).astype(np.float64)
        n_bad = int((~np.isfinite(found)).sum())
        if n_bad:
            raise ConfigError(
                f"{self._file}: {column!r} says no number in {counted(n_bad, 'row')}; a person without "
                "one would be left out of one arm more than of another: fill them in, with 0 where nothing "
                "happened"
            )
        return found

    def _check(self, column: str) -> None:
        if column not in self._types:
            raise ConfigError(f"{self._file}: has no column {column!r}{did_you_mean(column, self._types)}")
