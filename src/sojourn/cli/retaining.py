"""Retention: `sojourn retention` counts who comes back, and on how many days people are active."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sojourn.analytics.questions import Retention
from sojourn.cli.events_options import Given, HtmlOption, one_answer, read_asked, write_page
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.cli.questioning import question

if TYPE_CHECKING:
    from sojourn.analytics.questions.answers.retention import DaysAnswer, ReturnsAnswer


@question(Retention)
def retention(
    *,
    source: Given,
    asked: Retention,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Count who comes back in the n-th day, week or month after their first event.

    A period that is not over yet is marked, and never counted as nobody.
    """
    one_answer(html, json=json)
    from sojourn.analytics.questions.answers import retention as answers  # noqa: PLC0415 - help needs no numbers

    answer = answers.answer(asked, *read_asked(asked, source))
    if json:
        say_json(answer.told())
    else:
        _show(answer, html)


def _show(answer: ReturnsAnswer | DaysAnswer, html: Path | None) -> None:
    from sojourn.analytics.questions.answers import retention as answers  # noqa: PLC0415 - as above
    from sojourn.cli import retention_report as report  # noqa: PLC0415

    if isinstance(answer, answers.DaysAnswer):
        show(*report.active_days_for_people(answer.found))
    elif html is None:
        show(*report.for_people(answer.found))
    else:
        from sojourn.cli.answer_pages import retention_page  # noqa: PLC0415 - as above

        write_page(html, retention_page(answer.found))
