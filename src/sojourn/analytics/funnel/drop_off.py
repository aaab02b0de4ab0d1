"""Drop-off: where those went who got to a step and no further."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.tables import Table

if TYPE_CHECKING:
    from sojourn.analytics.funnel.answer import FunnelAnswer


def went_to(answer: FunnelAnswer, *, limit: int = 10) -> Table:
    """Tell, step by step, what those who got no further did right after they were there for the last time.

    One row for each step and what came next; those of one step add up to its `dropped`. `kind` says what a
    row is of: a "step" that came next; "ended", where nothing did; or the "other" steps, more seldom than
    the `limit` shown.
    """
    names = answer.events.steps
    dropped = np.flatnonzero(answer.counted.depth < len(answer.funnel.steps))
    depth = answer.counted.depth[dropped].astype(np.int64)
    ended, other, n_kinds = len(names), len(names) + 1, len(names) + 2
    after = next_steps(answer, dropped)
    flows = np.bincount(depth * n_kinds + after, minlength=len(answer.funnel.steps) * n_kinds)
    flows = flows.reshape(-1, n_kinds)
    rarest_first = np.argsort(flows[:, :ended], axis=1, kind="stable")[:, : max(0, ended - max(limit, 0))]
    is_rare = np.zeros(flows.shape, dtype=np.bool_)
    np.put_along_axis(is_rare, rarest_first, values=True, axis=1)
    after = np.where(is_rare[depth, after], other, after)
    counts, people = _count(depth * n_kinds + after, answer.person[dropped])
    columns: dict[str, Any] = {
        "n": [],
        "after": [],
        "kind": [],
        "next": [],
        "count": [],
        "people": [],
        "share": [],
    }
    totals = np.bincount(depth, minlength=len(answer.funnel.steps))
    # By step, most frequent first, and the rest of a step last.
    for key in sorted(counts, key=lambda key: (key // n_kinds, key % n_kinds == other, -counts[key], key)):
        d, code = divmod(key, n_kinds)
        columns["n"].append(d)
        columns["after"].append(answer.funnel.labels[d - 1])
        columns["kind"].append("ended" if code == ended else "other" if code == other else "step")
        columns["next"].append(names[code] if code < ended else None)
        columns["count"].append(counts[key])
        columns["people"].append(people[key])
        columns["share"].append(counts[key] / int(totals[d]))
    return Table(
        columns, {**answer.definition, "next": "the event right after they were there for the last time"}
    )


def next_steps(answer: FunnelAnswer, which: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the code of the step that came next for each of some counted passes; the number of steps:
    nothing."""
    place = answer.relevant.place[answer.counted.left[which]] + 1
    is_over = place == answer.cases.starts[answer.counted.case[which] + 1]
    place = np.where(is_over, 0, place)
    event = place if answer.cases.order is None else answer.cases.order[place]
    return np.where(is_over, len(answer.events.steps), answer.events.step[event])


def _count(keys: NDArray[np.int64], person: NDArray[np.int32]) -> tuple[dict[int, int], dict[int, int]]:
    """Count each key, and the people behind it."""
    n_people = int(person[-1]) + 1 if len(person) else 1
    pairs = np.sort(keys * n_people + person)
    distinct = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))] // n_people
    return _tally(pairs // n_people), _tally(distinct)


def _tally(ascending: NDArray[np.int64]) -> dict[int, int]:
    begins = np.flatnonzero(np.diff(ascending, prepend=-1))
    counts = np.diff(np.append(begins, len(ascending)))
    return dict(zip(ascending[begins].tolist(), counts.tolist(), strict=True))
