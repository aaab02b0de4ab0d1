"""People: the question of who is behind a step or a transition of the journey graph, answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.journeys import CHANNEL
from sojourn.analytics.cases import unit_means
from sojourn.analytics.events import MISSING, Events
from sojourn.analytics.graph.journey_graph import Asked
from sojourn.analytics.graph.members import Members, members
from sojourn.analytics.questions.asked import People
from sojourn.analytics.questions.selections import in_sessions, selection_of
from sojourn.analytics.selecting import Selection, known_steps, select
from sojourn.analytics.sessions import with_sessions
from sojourn.model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class PeopleAnswer:
    """Who is behind it."""

    asked: People
    found: Members
    events: Events
    selection: Selection
    began: NDArray[np.int64] | None
    """Session -> when it began, ms; None where no sessions are recorded."""

    def told(self) -> dict[str, Any]:
        """Lay it out for programs."""
        asked, found = self.asked, self.found
        return {
            "definition": {
                "unit": asked.by,
                "case": unit_means(self.events, asked.by),
                "of": self.of,
                "selection": self.selection.words(),
                "at": "the last time; of a transition, when they came to the step it leads to",
                "session": "when the session began in which that was, ms",
            },
            "n": self.n,
            "count": found.count,
            "people": found.n_people,
            "sessions": found.n_sessions,
            "items": self.items(),
            "is_cut": self.n > asked.limit,
        }

    @property
    def n(self) -> int:
        """How many rows there are without the limit."""
        return len(self.found.event)

    @property
    def of(self) -> str:
        """What they are behind, in words."""
        return self.asked.step or f"{self.asked.from_} > {self.asked.to}"

    def items(self) -> list[dict[str, Any]]:
        """List them, whoever was there last first, up to the limit."""
        events, limit = self.events, self.asked.limit
        channel = events.columns.get(CHANNEL)
        rows = []
        found = zip(self.found.event[:limit].tolist(), self.found.person[:limit].tolist(), strict=True)
        for event, person in found:
            code = MISSING if channel is None else int(channel.codes[event])
            rows.append(
                {
                    "id": events.people[person],
                    "session": self._session(event),
                    "at": int(events.at[event]),
                    "channel": None if channel is None or code == MISSING else channel.values[code],
                }
            )
        return rows

    def _session(self, event: int) -> int | None:
        if self.events.session is None or self.began is None:
            return None
        code = int(self.events.session[event])
        return None if code == MISSING else int(self.began[code])


def answer(asked: People, events: Events, ranks: Mapping[str, int]) -> PeopleAnswer:
    """Answer.

    Raises:
        ConfigError: A part of the question cannot be read, or names what no event has.
    """
    del ranks
    if (asked.step is None) == (asked.from_ is None) or (asked.from_ is None) != (asked.to is None):
        raise ConfigError("say --step, or --from and --to: who is behind a step, or behind a transition")
    selection = selection_of(asked)
    events = in_sessions(events, asked)
    if asked.by == "session" and events.session is None:
        events = with_sessions(events)
    chosen = select(events, selection)
    known_steps("goal", asked.goal, chosen.steps)
    wanted = Asked(unit=asked.by, goal=asked.goal, limit=asked.shown, collapse=asked.collapse)
    found = members(chosen, wanted, step=asked.step or "", source=asked.from_ or "", target=asked.to or "")
    return PeopleAnswer(asked, found, chosen, selection, _began(events))


def _began(events: Events) -> NDArray[np.int64] | None:
    """Return when each session began, as all its events say, also those that are not selected."""
    if events.session is None:
        return None
    inside = np.flatnonzero(events.session != MISSING)
    codes = events.session[inside]
    began = np.full(int(codes.max(initial=MISSING)) + 1, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(began, codes, events.at[inside])
    return began
