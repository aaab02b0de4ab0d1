"""Metrics: what an experiment is judged by, told over the events of people after their assignment."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

MetricKind = Literal["conversion", "count", "value", "ratio", "retention", "time_to"]
METRIC_KINDS: tuple[MetricKind, ...] = get_args(MetricKind)

Operator = Literal["==", "!=", "<", "<=", ">", ">="]

MAX_METRICS = 200  # of a folder; a report shows a handful.
DEFAULT_BEFORE_MS = 28 * 86_400_000  # four weeks: whole weeks, so that no weekday weighs more.


class Comparison(Struct, frozen=True, tag="comparison"):
    """A property beside a constant.

    An event that lacks the property fulfils `!=` and nothing else. Beside a number it counts as the number it
    says, be it written as text; beside a text, as text.
    """

    path: str
    """As written: `properties.cart.total`."""
    operator: Operator
    values: tuple[str, ...] | tuple[float, ...]
    """Any of them will do (`!=`: none of them may be); an order (`<`, ...) takes one number."""

    @property
    def is_of_numbers(self) -> bool:
        """Whether numbers are compared."""
        return isinstance(self.values[0], float)


class Every(Struct, frozen=True, tag="every"):
    """All of these hold."""

    parts: tuple[Condition, ...]


class Some(Struct, frozen=True, tag="some"):
    """One of these holds, or several."""

    parts: tuple[Condition, ...]


class Negation(Struct, frozen=True, tag="not"):
    """This does not hold."""

    part: Condition


Condition = Comparison | Every | Some | Negation


class Metric(Struct, frozen=True, kw_only=True):
    """One metric. All spans of time begin with the person's assignment."""

    name: str
    kind: MetricKind
    on: tuple[str, ...] = ()
    """Names of events; of a ratio none."""
    goal: str = ""
    """Instead of `on`: the goal of this journey, with what it was worth."""
    when: Condition | None = None
    """Which of these events count; None: all."""
    value: str = ""
    """Of `value`: the property that is summed."""
    after_ms: int = 0
    """Only what happens later than this."""
    within_ms: int = 0
    """And not later than this: whoever was assigned less long ago is not counted yet."""
    cap: float | None = None
    """A person's sum counts as at most so much."""
    winsorise: float | None = None
    """A person's sum counts as at most this quantile of those who have any, both arms together."""
    is_up_good: bool = True
    before_ms: int = DEFAULT_BEFORE_MS
    """How long before the assignment a person's own past is measured, to take out what it foretells
    (CUPED); 0: it is not."""
    numerator: str = ""
    """Of a ratio: the metric above the line."""
    denominator: str = ""
    """Of a ratio: the metric below the line."""
    description: str = ""


def paths_of(condition: Condition | None) -> frozenset[tuple[str, bool]]:
    """Return each path a condition reads, and whether as a number."""
    match condition:
        case None:
            return frozenset()
        case Comparison():
            return frozenset({(condition.path, condition.is_of_numbers)})
        case Negation():
            return paths_of(condition.part)
        case Every() | Some():
            return frozenset().union(*map(paths_of, condition.parts))
