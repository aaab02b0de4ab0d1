"""Sources: every event is counted to who sent it, within bounds, and the counts last."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from sojourn.model.event import Event
from sojourn.model.operating import SourceView
from sojourn.model.ports import Appended
from sojourn.server.ingest.library import Library, library_of, library_of_agent
from sojourn.server.sources import MAX_SDKS, OTHER, Sources
from tests.engine.makers import T0, event
from tests.server.houses import KEY, House

AGENT = "python-requests/2.31.0 (linux)"


def sent(name: str = "Seen", library: object = None, *, at: int = T0) -> Event:
    """Make an event as a library sends it."""
    context = Raw(msgspec.json.encode({"page": {}, "library": library} if library is not None else {}))
    return event(name, user_id="ann", context=context, received_at=at)


def sdks(sources: Sources) -> dict[tuple[str, str], int]:
    """Return (name, version) -> how many events."""
    (view,) = sources.views({})
    return {(sdk.name, sdk.version): sdk.n for sdk in view.sdks}


def ends(request: list[tuple[str, bool]]) -> int:
    """Say how many libraries the first and the last event that is new name."""
    new = [name for name, is_old in request if not is_old]
    return len({*new[:1], *new[-1:]})


OF_ONE = st.tuples(st.sampled_from("abc"), st.lists(st.booleans(), min_size=1, max_size=8)).map(
    lambda one: [(one[0], is_old) for is_old in one[1]]
)
OF_SEVERAL = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=2, max_size=8).filter(
    lambda request: ends(request) == 2
)
"""Where the first and the last event name one library, those between them are not looked at."""


@given(st.lists(OF_ONE | OF_SEVERAL, max_size=6))
def test_each_event_taken_is_counted_to_its_library(requests: list[list[tuple[str, bool]]]) -> None:
    """As somebody counts who looks at each; what was known before is counted apart."""
    sources = Sources()
    expected: Counter[tuple[str, str]] = Counter()
    n_duplicates = 0
    for request in requests:
        events = [sent(library={"name": name, "version": "1"}) for name, _ in request]
        duplicates = [index for index, (_, is_old) in enumerate(request) if is_old]
        sources.heard(events, [], Appended([], duplicates), AGENT)
        expected.update((name, "1") for name, is_old in request if not is_old)
        n_duplicates += len(duplicates)
    if requests:
        assert sdks(sources) == expected
        (view,) = sources.views({})
        assert (view.n_events, view.n_duplicates) == (expected.total(), n_duplicates)


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ({"name": "analytics.js", "version": "2.1"}, ("analytics.js", "2.1")),
        ({"name": "analytics.js"}, ("analytics.js", "")),
        ({"name": "x" * 500, "version": "1" * 500}, ("x" * 100, "1" * 50)),
        (None, ("python-requests", "2.31.0")),
        ("analytics.js", ("python-requests", "2.31.0")),
        ({"name": 7, "version": {}}, ("python-requests", "2.31.0")),
    ],
)
def test_where_the_context_names_no_library_the_user_agent_does(
    library: object, expected: tuple[str, str]
) -> None:
    """Texts only, and not longer than anybody reads."""
    sources = Sources()
    sources.heard([sent(library=library)], [], Appended([], []), AGENT)
    assert list(sdks(sources)) == [expected]


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("Mozilla/5.0 (X11; Linux)", ("browser", "")),
        ("curl/8.1.2", ("curl", "8.1.2")),
        ("", ("", "")),
        ("odd", ("odd", "")),
    ],
)
def test_a_user_agent_is_read_by_its_first_word(agent: str, expected: tuple[str, str]) -> None:
    """A browser without a library is only that."""
    assert library_of_agent(agent) == Library(*expected)


def test_a_context_is_read_whatever_it_is() -> None:
    """The door has checked it; whoever calls this has not."""
    large = {"name": "a", "version": "1", "x": "y" * 10_000}
    assert library_of(Raw(msgspec.json.encode({"library": large}))) == Library("a", "1")
    assert library_of(Raw(b'{"library"')) == Library("")


def test_of_many_libraries_those_heard_last_longest_ago_are_one() -> None:
    """An endless stream of versions takes no more room than fifty, and what is new is seen."""
    sources = Sources()
    for number in range(3 * MAX_SDKS):
        each = sent(library={"name": "lib", "version": str(number)}, at=T0 + number)
        sources.heard([each], [], Appended([], []), AGENT)
    counts = sdks(sources)
    assert len(counts) <= MAX_SDKS + 1
    assert sum(counts.values()) == 3 * MAX_SDKS
    assert counts["lib", str(3 * MAX_SDKS - 1)] == 1
    assert counts[OTHER, ""] >= 2 * MAX_SDKS - 1


def test_counts_go_on_from_what_was_kept() -> None:
    """A restart forgets nothing."""
    sources = Sources()
    sources.heard([sent("Seen", {"name": "lib", "version": "1"})], [], Appended([], []), AGENT)
    assert sources.has_changed
    again = Sources(sources.document())
    assert not sources.has_changed
    assert again.views({}) == sources.views({})
    again.heard([sent("Bought", {"name": "lib", "version": "1"}, at=T0 + 5)], [], Appended([], []), AGENT)
    (view,) = again.views({})
    (sdk,) = view.sdks
    assert (sdk.n, sdk.first_at, sdk.last_at, sdk.last_event) == (2, T0, T0 + 5, "Bought")


def test_a_source_that_sent_nothing_is_shown_and_so_is_one_that_was_removed() -> None:
    """The operator sees who is silent; of a key only its end, and of a short one nothing."""
    sources = Sources()
    sources.heard([sent()], [], Appended([], []), AGENT)
    found = {
        view.name: view.write_key_hint for view in sources.views({"0123456789abcdef": "ios", "dev": "tv"})
    }
    assert found == {"ios": "cdef", "tv": "", "web": ""}


def test_what_the_door_took_is_counted() -> None:
    """By the request's own user agent."""
    house = House()
    batch = {"batch": [{"type": "track", "event": "Seen", "userId": "ann", "messageId": "m1"}, {"type": "x"}]}
    for _ in range(2):
        house.ask("/v1/batch", method="POST", json=batch, headers={"x-write-key": KEY, "user-agent": AGENT})
    (view,) = msgspec.json.decode(house.ask("/api/v1/sources").content, type=list[SourceView])
    assert (view.name, view.n_events, view.n_duplicates, view.n_failed) == ("web", 1, 1, 2)
    assert [(sdk.name, sdk.last_event) for sdk in view.sdks] == [("python-requests", "Seen")]
