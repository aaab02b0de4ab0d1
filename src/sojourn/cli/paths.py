"""Paths: `sojourn paths` shows which ways people go: whole, in part, and from or to a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sojourn.analytics.questions import Paths
from sojourn.cli.events_options import Given, HtmlOption, one_answer, read_asked, write_page
from sojourn.cli.figures import MANY
from sojourn.cli.options import JsonOption
from sojourn.cli.output import say_json, show
from sojourn.cli.questioning import question

if TYPE_CHECKING:
    from sojourn.analytics.questions.answers.paths import CommonAnswer, FlowsAnswer, VariantsAnswer


@question(Paths)
def paths(
    *,
    source: Given,
    asked: Paths,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """Show the ways people go: distinct whole paths, patterns in them, or the steps after or before one.

    What is beyond the limit is one row or one node, so that all adds up.
    """
    one_answer(html, json=json)
    from sojourn.analytics.questions.answers import paths as answers  # noqa: PLC0415 - help needs no numbers

    answer = answers.answer(asked, *read_asked(asked, source))
    if json:
        say_json(answer.told())
        return
    parts, page = _for_people(answer)
    if html is not None:
        write_page(html, page())
    else:
        show(*parts)


def _for_people(
    answer: VariantsAnswer | CommonAnswer | FlowsAnswer,
) -> tuple[Iterable[Any], Callable[[], str]]:
    """Return what a terminal shows, and what writes a page."""
    from sojourn.analytics.questions.answers import paths as answers  # noqa: PLC0415 - as above
    from sojourn.cli import answer_pages as pages  # noqa: PLC0415
    from sojourn.cli import paths_report as report  # noqa: PLC0415
    from sojourn.cli.funnel_report import flows  # noqa: PLC0415

    match answer:
        case answers.VariantsAnswer():
            return report.variants_for_people(answer), lambda: pages.variants_page(answer)
        case answers.CommonAnswer():
            return report.patterns_for_people(answer), lambda: pages.patterns_page(answer)
        case answers.FlowsAnswer():
            title = _title(answer)
            return [flows(answer.found, title=title)], lambda: pages.flows_page(answer.found, title=title)


def _title(answer: FlowsAnswer) -> str:
    said = answer.found.definition
    where = "after" if answer.is_after else "before"
    whose = f"{said['n_cases']:,} {MANY[said['unit']]}; {said['n_cases_without']:,} without it"
    return f"{where} {answer.around}: {whose}"
