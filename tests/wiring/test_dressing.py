"""Dressing: an imported event ends as it would have come through the door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from sojourn.config import Config
from sojourn.model.errors import ConfigError, InputError
from sojourn.model.event import EMPTY, Device, Event, Geo, Kind
from sojourn.wiring.dressing import dresser, dressing

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)


class Everywhere:
    """Lookups that answer with what they were asked."""

    def device(self, user_agent: str) -> Device:
        """Name the browser after the user agent."""
        return Device(browser=user_agent)

    def geo(self, ip: str) -> Geo:
        """Name the city after the address."""
        return Geo(city=ip)


def event(
    context: Any = None, *, kind: Kind = "track", traits: Raw = EMPTY, session_id: str | None = None
) -> Event:
    """Make an event with a context."""
    return Event(
        source="import",
        message_id="m",
        kind=kind,
        name="Viewed",
        occurred_at=1,
        received_at=2,
        user_id="ada",
        session_id=session_id,
        traits=traits,
        context=EMPTY if context is None else Raw(json.dumps(context).encode()),
    )


def dressed(before: Event, *, keep_full_ip: bool = False) -> Event:
    """Dress an event."""
    return dresser(Everywhere(), keep_full_ip=keep_full_ip)(before)


@pytest.mark.parametrize(
    ("full", "kept"), [("203.0.113.77", "203.0.113.0"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1::")]
)
def test_half_an_address_is_dropped_from_the_event_and_from_its_context(full: str, kept: str) -> None:
    """An export of years must not bring in what the door would never have kept."""
    after = dressed(event({"ip": full, "locale": "de"}))

    assert after.ip == kept
    assert json.loads(bytes(after.context)) == {"ip": kept, "locale": "de"}
    assert full.encode() not in bytes(after.context)


def test_a_whole_address_stays_where_the_operator_wants_it() -> None:
    """`keep_full_ip` says the same of imports as of what comes live."""
    before = event({"ip": "203.0.113.77"})

    after = dressed(before, keep_full_ip=True)

    assert (after.ip, bytes(after.context)) == ("203.0.113.77", bytes(before.context))


def test_the_place_is_asked_of_the_whole_address() -> None:
    """Half an address is often another town."""
    assert dressed(event({"ip": "203.0.113.77"})).geo == Geo(city="203.0.113.77")


def test_what_is_no_address_does_not_stay_in_the_context() -> None:
    """`0.0.0.0` and the like say: do not record it."""
    after = dressed(event({"ip": "somewhere"}))

    assert (after.ip, after.geo, json.loads(bytes(after.context))) == (None, None, {"ip": None})


def test_a_user_agent_becomes_a_device() -> None:
    """So that guards ask of imported events what they ask of live ones."""
    assert dressed(event({"userAgent": "x"})).device == Device(browser="x")


def test_traits_of_a_context_are_those_of_an_identify_without_its_own() -> None:
    """RudderStack's SDKs write them there."""
    context = {"traits": {"plan": "pro"}}

    assert json.loads(bytes(dressed(event(context, kind="identify")).traits)) == {"plan": "pro"}
    assert dressed(event(context, kind="identify", traits=Raw(b'{"a":1}'))).traits == Raw(b'{"a":1}')
    assert dressed(event(context)).traits == EMPTY


def test_a_session_id_of_the_context_counts_where_the_row_has_none() -> None:
    """A column that was mapped is the operator's own word."""
    assert dressed(event({"sessionId": 1_700_000_000})).session_id == "1700000000"
    assert dressed(event({"sessionId": 1_700_000_000}, session_id="s-1")).session_id == "s-1"


def test_an_event_without_a_context_is_left_alone() -> None:
    """Most rows of a table have none, and they cost nothing."""
    before = event()

    assert dressed(before) is before


def test_a_context_over_a_bound_of_the_door_is_refused() -> None:
    """What is imported could have come live."""
    with pytest.raises(InputError, match=r"context.*\[too-large\]"):
        dressed(event({"a": "x" * 200_000}))


def test_the_configuration_decides_who_is_asked() -> None:
    """Its own user-agent tables, and the operator's database."""
    with dressing(Config()) as dress:
        after = dress(event({"userAgent": IPHONE, "ip": "203.0.113.77"}))

    assert after.device == Device(browser="Mobile Safari", os="iOS", kind="mobile")
    assert (after.ip, after.geo) == ("203.0.113.0", None)


def test_a_geo_database_that_is_not_there_is_said_before_anything_is_read(tmp_path: Path) -> None:
    """Not after an hour of reading."""
    with (
        pytest.raises(ConfigError, match="no-geo-database"),
        dressing(Config(geo_database=tmp_path / "none.mmdb")),
    ):
        pass
