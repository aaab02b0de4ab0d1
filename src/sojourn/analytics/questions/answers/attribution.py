"""Attribution: the question of who stood before conversions, answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sojourn.analytics.attribution import (
    DIRECT_NAMES,
    Bootstrap,
    JourneyRules,
    Options,
    Paths,
    Weights,
    attribute,
    paths_of,
)
from sojourn.analytics.attribution import Attribution as Credit
from sojourn.analytics.attribution.models import U_SHAPED
from sojourn.analytics.events import Events
from sojourn.analytics.kinds import parse_kind
from sojourn.analytics.questions.asked import Attribution, duration_ms
from sojourn.model.errors import ConfigError

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CreditAnswer:
    """What each model says."""

    found: list[Credit]

    def told(self) -> Any:
        """Lay it out for programs: one model is one object, several are a list."""
        return self.found[0] if len(self.found) == 1 else self.found


def answer(asked: Attribution, events: Events, ranks: Mapping[str, int]) -> CreditAnswer:
    """Answer from events.

    Raises:
        ConfigError: A part of the question cannot be read, or names what no event has.
    """
    del ranks
    return answer_of_paths(asked, paths_for(asked, events))


def answer_of_paths(asked: Attribution, paths: Paths, *, tell: Tell = lambda _: None) -> CreditAnswer:
    """Answer from paths; `tell` hears of each model before it is asked. Raises ConfigError as `answer`."""
    drawn = Bootstrap(replicates=asked.replicates, level=asked.level, seed=asked.seed)
    return CreditAnswer(
        attribute(paths, asked.model or ("markov",), options=options_of(asked), bootstrap=drawn, tell=tell)
    )


def paths_for(asked: Attribution, events: Events) -> Paths:
    """Build the paths of events; raise ConfigError as `answer`."""
    conversion = conversion_of(asked)
    rules = JourneyRules(
        conversion=parse_kind(conversion, events.steps),
        touch=None if asked.touch is None else parse_kind(asked.touch, events.steps),
        channel=asked.channel,
        value=asked.value,
        lookback_ms=None if asked.lookback is None else duration_ms(asked.lookback, "lookback"),
        lookback_touches=asked.lookback_touches,
        reset=not asked.no_reset,
        repeats="session" if asked.once_per_session else "keep",
        direct=asked.direct,
        direct_names=direct_names(asked),
    )
    return paths_of(events, rules)


def conversion_of(asked: Attribution) -> str:
    """Return what a conversion is; raise ConfigError where nobody says it."""
    if asked.conversion is None:
        raise ConfigError('say what a conversion is: --conversion "Order Completed"')
    return asked.conversion


def direct_names(asked: Attribution) -> tuple[str, ...]:
    """Return what direct traffic is called."""
    return asked.direct_name or DIRECT_NAMES


def options_of(asked: Attribution) -> Options:
    """Read what models are told; raise ConfigError where a part cannot be read."""
    order = asked.order
    if order != "auto" and not (order.isdecimal() and order.isascii()):
        raise ConfigError(f"--order is {order!r}; expected a whole number, or auto")
    return Options(
        order="auto" if order == "auto" else int(order),
        nulls=not asked.without_nulls,
        half_life_ms=duration_ms(asked.half_life, "half-life"),
        weights=U_SHAPED if asked.weights is None else _weights(asked.weights),
        direct_names=direct_names(asked),
        seed=asked.seed,
    )


def _weights(text: str) -> Weights:
    """Read `0.5,0.2,0.3`: the first touch, all others, the last."""
    try:
        first, rest, last = map(float, text.split(","))
    except ValueError:
        raise ConfigError(f"--weights is {text!r}; expected FIRST,REST,LAST as 0.5,0.2,0.3") from None
    return Weights(head=(first,), tail=(last,), rest=rest)
