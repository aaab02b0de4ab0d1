"""The report of paths: variants and patterns for people; of a sankey see the report of funnels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sojourn.cli.figures import MANY, bar, interval, percent, span, walk
from sojourn.cli.output import table

if TYPE_CHECKING:
    from sojourn.analytics.questions.answers.paths import CommonAnswer, VariantsAnswer

SHOWN_STEPS = 12  # of a path in a terminal.


def variants_for_people(answer: VariantsAnswer) -> Iterator[Any]:
    """Lay out the most frequent whole paths, and the rest."""
    found = answer.found
    yield f"{len(found):,} distinct paths of {found.definition['n_cases']:,} {MANY[found.unit]}."
    rows = []
    for row in answer.table().to_dicts():
        is_other = row["kind"] == "other"
        path = f"({row['n_variants']:,} others)" if is_other else _path(row["path"], row["n_steps"])
        rows.append(
            (
                f"{row['count']:,}",
                percent(row["share"]),
                interval(row["low"], row["high"]),
                bar(row["share"], characters=10),
                span(row["p50_ms"]),
                path,
            )
        )
    yield table((MANY[found.unit], "share", "interval", "", "half last", "path"), rows)


def patterns_for_people(answer: CommonAnswer) -> Iterator[Any]:
    """Lay out the most widespread patterns."""
    found, shown = answer.found, answer.table()
    said = found.definition
    least = f"{found.least:,} of {said['n_cases']:,} {MANY[said['unit']]} or more"
    yield f"{said['n_patterns']:,} patterns are in {least}; gaps: {said['gaps']}."
    rows = [
        (
            f"{row['count']:,}",
            percent(row["share"]),
            interval(row["low"], row["high"]),
            "" if row["occurrences"] is None else f"{row['occurrences']:,}",
            walk(row["pattern"]),
        )
        for row in shown.to_dicts()
    ]
    yield table((MANY[said["unit"]], "share", "interval", "times", "pattern"), rows)
    n_all = sum(found.maximal) if answer.only_maximal else len(found.patterns)
    if n_all > len(shown):
        yield f"{n_all - len(shown):,} more; --limit {n_all} shows them."


def _path(steps: list[str], n_steps: int) -> str:
    return walk(steps[:SHOWN_STEPS], n_more=max(0, n_steps - SHOWN_STEPS))
