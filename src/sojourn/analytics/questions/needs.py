"""Needs: what of each event a question looks at, beside who, what and when."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sojourn.analytics.attribution.journeys import CHANNEL
from sojourn.analytics.funnel import parse_exclusion
from sojourn.analytics.kinds import Kind, parse_kind
from sojourn.analytics.questions.asked import (
    Attribution,
    Causal,
    Friction,
    Funnel,
    Graph,
    Narrowed,
    Paths,
    People,
    Question,
    Retention,
)
from sojourn.analytics.questions.selections import compared_of, conditions_of
from sojourn.analytics.reading import Mapping
from sojourn.analytics.selecting import Where


class Needs(Struct, frozen=True, kw_only=True):
    """What is to be read."""

    kinds: tuple[Kind, ...] = ()
    """Kinds of event as they are asked for: the attributes of their conditions are read."""
    attributes: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    """Attributes that are numbers."""


def mapping_of(question: Question, mapping: Mapping) -> Mapping:
    """Add to a mapping what a question needs; what is mapped is read as it says.

    Raises:
        ConfigError: A part of the question cannot be read.
    """
    needs = needs_of(question)
    conditions = [condition for kind in needs.kinds for condition in kind.where]
    numbers = {each.attribute for each in conditions if each.operator not in ("=", "!=")} | set(needs.amounts)
    asked = [*(each.attribute for each in conditions), *needs.attributes, *needs.amounts]
    columns = {**{name: name for name in asked}, **mapping.attributes}
    return replace(
        mapping,
        attributes={name: column for name, column in columns.items() if name not in numbers},
        values={name: columns[name] for name in numbers} | dict(mapping.values),
    )


def needs_of(question: Question) -> Needs:  # noqa: PLR0911 - one for each question
    """Say what a question needs; raise ConfigError where a part of it cannot be read."""
    match question:
        case Graph():
            compared = [one for one in compared_of(question) if isinstance(one, Where)]
            asked = [*conditions_of(question), *compared]
            return Needs(attributes=tuple(each.attribute for each in asked))
        case People():
            return Needs(attributes=tuple(each.attribute for each in conditions_of(question)))
        case Paths():
            return Needs(kinds=_kinds(question.from_, question.to), attributes=_asked_of(question))
        case Funnel():
            between = (parse_exclusion(text).kind for text in question.without)
            kinds = (*_kinds(*question.step), *between)
            return Needs(kinds=kinds, attributes=(*_given(question.by), *_asked_of(question)))
        case Retention():
            kinds = _kinds(question.first, question.returning)
            return Needs(kinds=kinds, attributes=_given(question.by))
        case Friction():
            return Needs(attributes=question.attribute)
        case Attribution():
            channel = question.channel or (None if question.touch else CHANNEL)
            return Needs(
                kinds=_kinds(question.conversion, question.touch),
                attributes=_given(channel),
                amounts=_given(question.value),
            )
        case Causal():
            channel = question.channel or (None if question.touch else CHANNEL)
            return Needs(
                kinds=_kinds(question.conversion, question.touch),
                attributes=_given(channel, question.inside, question.by),
                amounts=(*_given(question.value), *question.covariate),
            )
    raise AssertionError(f"{type(question).__name__} is no question")


def _asked_of(question: Narrowed) -> tuple[str, ...]:
    return tuple(each.attribute for each in conditions_of(question))


def _kinds(*texts: str | None) -> tuple[Kind, ...]:
    return tuple(parse_kind(text) for text in texts if text)


def _given(*names: str | None) -> tuple[str, ...]:
    return tuple(name for name in names if name)
