"""Sources: who sends, by which library, and what each sent last; counted by request, within bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import msgspec
from msgspec import Struct

from sojourn.model.event import Event, FailedEvent
from sojourn.model.operating import SdkView, SourceView
from sojourn.model.ports import Appended
from sojourn.server.ingest.library import MAX_NAME_CHARS, Library, library_of, library_of_agent

MAX_SOURCES = 1_000  # those that were removed from the configuration stay, so far.
MAX_SDKS = 50  # of one source; of more, the one heard last longest ago joins the others.
OTHER = "other"
HINT_CHARS, MIN_KEY_CHARS = 4, 12  # of a shorter key, four characters would be much of it.


class Sdk(Struct):
    """What one library sent."""

    n: int = 0
    first_at: int = 0
    last_at: int = 0
    last_event: str = ""


class Source(Struct):
    """What one source sent."""

    n_events: int = 0
    n_duplicates: int = 0
    n_failed: int = 0
    first_at: int = 0
    last_at: int = 0
    sdks: dict[str, dict[str, Sdk]] = {}
    """Name -> version -> what it sent."""


class Sources:
    """All of them; on the event loop, but for `views`, which any thread may ask."""

    def __init__(self, kept: bytes | None = None) -> None:
        """Go on from what was kept."""
        self._sources = {} if kept is None else msgspec.json.decode(kept, type=dict[str, Source])
        self.has_changed = False
        """Since the last `document`."""

    def heard(
        self, events: Sequence[Event], failed: Sequence[FailedEvent], appended: Appended, user_agent: str
    ) -> None:
        """Hear what became of one request, which is of one source."""
        one = events[0] if events else failed[0]
        source = self._of(one.source)
        source.n_duplicates += len(appended.duplicates)
        source.n_failed += len(failed)
        self.has_changed = True
        if appended.duplicates:
            gone = set(appended.duplicates)
            events = [event for index, event in enumerate(events) if index not in gone]
        if not events:
            return
        at = events[-1].received_at
        source.n_events += len(events)
        source.first_at = source.first_at or at
        source.last_at = max(source.last_at, at)
        for library, n, last in _runs(events):
            sdk = _sdk(source, library if library.name else library_of_agent(user_agent))
            sdk.n += n
            sdk.first_at = sdk.first_at or at
            sdk.last_at = max(sdk.last_at, at)
            sdk.last_event = last.name[:MAX_NAME_CHARS]

    def document(self) -> bytes:
        """Return it as it is kept."""
        self.has_changed = False
        return msgspec.json.encode(self._sources)

    def views(self, write_keys: Mapping[str, str]) -> list[SourceView]:
        """Lay them out: those configured, and others that sent before.

        Args:
            write_keys: Write key -> source.
        """
        hints = {name: key[-HINT_CHARS:] for key, name in write_keys.items() if len(key) >= MIN_KEY_CHARS}
        names = dict.fromkeys([*write_keys.values(), *list(self._sources)])
        return [_view(name, hints.get(name, ""), self._sources.get(name, Source())) for name in sorted(names)]

    def _of(self, name: str) -> Source:
        found = self._sources.get(name)
        if found is None:
            found = Source()
            if len(self._sources) < MAX_SOURCES:
                self._sources[name] = found
        return found


def _runs(events: Sequence[Event]) -> Iterator[tuple[Library, int, Event]]:
    """Yield each run of events of one library, how many it has, and the last of it.

    A request is one library's, nearly always: where its first and its last event name the same one, so do
    those between them, and are not looked at.
    """
    library = library_of(events[0].context)
    if len(events) == 1 or library_of(events[-1].context) == library:
        yield library, len(events), events[-1]
        return
    for found, several in groupby(events, key=lambda event: library_of(event.context)):
        run = list(several)
        yield found, len(run), run[-1]


def _sdk(source: Source, library: Library) -> Sdk:
    name, version = library.name or "unknown", library.version
    found = source.sdks.get(name, {}).get(version)
    if found is None:
        if sum(map(len, source.sdks.values())) >= MAX_SDKS:
            _join_others(source)
        found = source.sdks.setdefault(name, {}).setdefault(version, Sdk())
    return found


def _join_others(source: Source) -> None:
    """Count the library that sent last longest ago among the others."""
    each = [(sdk.last_at, name, version) for name, row in source.sdks.items() for version, sdk in row.items()]
    _, name, version = min(one for one in each if one[1] != OTHER)
    gone = source.sdks[name].pop(version)
    if not source.sdks[name]:
        del source.sdks[name]
    others = source.sdks.setdefault(OTHER, {}).setdefault("", Sdk())
    others.n += gone.n
    others.first_at = min(others.first_at or gone.first_at, gone.first_at)
    if gone.last_at >= others.last_at:
        others.last_at, others.last_event = gone.last_at, gone.last_event


def _view(name: str, hint: str, source: Source) -> SourceView:
    sdks = [
        SdkView(
            name=sdk_name,
            version=version,
            n=sdk.n,
            first_at=sdk.first_at,
            last_at=sdk.last_at,
            last_event=sdk.last_event,
        )
        for sdk_name, row in list(source.sdks.items())
        for version, sdk in list(row.items())
    ]
    return SourceView(
        name=name,
        write_key_hint=hint,
        first_at=source.first_at or None,
        last_at=source.last_at or None,
        n_events=source.n_events,
        n_duplicates=source.n_duplicates,
        n_failed=source.n_failed,
        sdks=sorted(sdks, key=lambda sdk: -sdk.last_at),
    )
