"""Members: `sojourn people` lists who is behind a step or a transition of the journey graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sojourn.analytics.questions import People
from sojourn.cli.events_options import Given, read_asked
from sojourn.cli.options import JsonOption
from sojourn.cli.output import instant, say_json, show, table
from sojourn.cli.questioning import question

if TYPE_CHECKING:
    from sojourn.analytics.questions.answers.people import PeopleAnswer


@question(People)
def people(
    *,
    source: Given,
    asked: People,
    json: JsonOption = False,
) -> None:
    """List who is behind a step of `sojourn graph`, or behind a transition from one step to the next.

    They are those that the graph counts, with the same options. Of each, the last time is told.
    """
    from sojourn.analytics.questions.answers import people as answers  # noqa: PLC0415 - help needs no numbers

    answer = answers.answer(asked, *read_asked(asked, source))
    if json:
        say_json(answer.told())
    else:
        show(*_for_people(answer))


def _for_people(answer: PeopleAnswer) -> Iterator[Any]:
    found = answer.found
    sessions = "" if found.n_sessions is None else f", in {found.n_sessions:,} sessions"
    yield f"{answer.of}: {found.count:,} times by {found.n_people:,} people{sessions}."
    rows = [
        (
            row["id"],
            f"{instant(row['at'])} UTC",
            "" if row["session"] is None else f"{instant(row['session'])} UTC",
            row["channel"] or "",
        )
        for row in answer.items()
    ]
    yield table(("who", "last there", "session began", "channel"), rows)
    if answer.n > len(rows):
        yield f"These are the last {len(rows):,} of {answer.n:,}; --limit shows more."
