"""Questions: everything that is asked of events, each as one value, and its answer.

The command line and the HTTP API both read their options into these values and tell what `ask` returns, so
the one cannot say what the other does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from sojourn.analytics.questions.asked import (
    QUESTIONS,
    Attribution,
    Causal,
    Friction,
    Funnel,
    Graph,
    Paths,
    People,
    Question,
    Retention,
    as_parameters,
    option,
)

if TYPE_CHECKING:
    from sojourn.analytics.events import Events

__all__ = [
    "QUESTIONS",
    "Answer",
    "Attribution",
    "Causal",
    "Friction",
    "Funnel",
    "Graph",
    "Paths",
    "People",
    "Question",
    "Retention",
    "as_parameters",
    "ask",
    "load",
    "option",
]

_PLACES = {kind: f"{__name__}.answers.{name}" for name, kind in QUESTIONS.items()}
"""Kind of question -> the module that answers it, loaded with its numbers where it is first asked."""


class Answer(Protocol):
    """What was found."""

    def told(self) -> Any:
        """Lay it out for programs: what JSON can write, NaN as null."""


def ask(question: Question, events: Events, ranks: Mapping[str, int]) -> Answer:
    """Answer a question.

    Args:
        question: What is asked.
        events: They have what `needs.mapping_of` reads for the question.
        ranks: Step -> how far along the journey it is.

    Raises:
        ConfigError: A part of the question cannot be read, or names what no event has.
    """
    answer: Answer = import_module(_PLACES[type(question)]).answer(question, events, ranks)
    return answer


def load() -> None:
    """Load all that reads and answers questions, so that the first is as quick as the next."""
    for place in ("duckdb", f"{__name__}.needs", *_PLACES.values()):
        import_module(place)
