"""Funnels: `sojourn funnel` counts how many go how far, how fast, and where the others go."""

from __future__ import annotations

from sojourn.analytics.questions import Funnel
from sojourn.cli.events_options import Given, HtmlOption, one_answer, read_asked, write_page
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.cli.questioning import question


@question(Funnel)
def funnel(
    *,
    source: Given,
    asked: Funnel,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Count how many people go through some steps, how fast, and where the others go.

    All that is shown is of the same people: tables add up, --reached and --dropped list those counted.
    """
    one_answer(html, json=json)
    from sojourn.analytics.questions.answers import funnel as answers  # noqa: PLC0415 - help needs no numbers

    answer = answers.answer(asked, *read_asked(asked, source))
    if html is not None:
        from sojourn.cli.answer_pages import funnel_page  # noqa: PLC0415 - as above

        write_page(html, funnel_page(answer))
    elif json:
        say_json(answer.told())
    else:
        from sojourn.cli.funnel_report import for_people  # noqa: PLC0415 - as above

        show(*for_people(answer))
