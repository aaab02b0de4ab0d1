"""Causal: `sojourn causal` tells what channels, journeys and states brought about, by their hold-outs."""

from __future__ import annotations

from sojourn.analytics.questions import Causal
from sojourn.cli.events_options import Given, HtmlOption, one_answer, read_asked, write_page
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.cli.questioning import question
from sojourn.model.errors import ConfigError


@question(Causal)
def causal(*, source: Given, asked: Causal, html: HtmlOption = None, json: JsonOption = False) -> None:
    """Tell what channels, journeys and states brought about, by those whom hold-outs kept back.

    Compared are people from their first opportunity on: who got what was sent, and who would have. Path
    credit stands beside it, with how wrong it is.
    """
    one_answer(html, json=json)
    from sojourn.analytics.questions.answers import causal as answers  # noqa: PLC0415 - help needs no numbers
    from sojourn.cli import causal_report as layout  # noqa: PLC0415

    if source.events:
        raise ConfigError(
            "--events: files do not tell whom a hold-out kept back; name a data folder with --data"
        )
    events, ranks = read_asked(asked, source)
    answer = answers.answer(asked, events, ranks)
    if html is not None:
        write_page(html, layout.page_of(answer.found))
    elif json:
        say_json(answer.told())
    else:
        show(*layout.for_people(answer.found))
