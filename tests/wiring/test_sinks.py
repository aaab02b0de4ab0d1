"""Sinks: made by whoever registered their type, refused with the types there are."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sojourn.config import Config, Deliver, Rate, Secret, Sink, Unsubscribe
from sojourn.model.errors import ConfigError
from sojourn.runtime.rate import Rate as LaneRate
from sojourn.wiring.sinks import make_sinks, rates_of


def test_the_console_is_there_without_being_configured() -> None:
    """A first journey can be seen at work."""
    assert list(make_sinks(Config())) == ["console"]


def test_every_configured_sink_is_made_under_its_name() -> None:
    """Two of one type are two sinks."""
    url = {"url": "https://example.com/hook"}
    config = Config(
        sinks={"mail": Sink(type="webhook", options=url), "crm": Sink(type="webhook", options=url)}
    )
    assert sorted(make_sinks(config)) == ["console", "crm", "mail"]


def test_a_type_nobody_registered_is_refused_with_those_there_are() -> None:
    """A plugin that is not installed looks like a slip of the pen, and the other way round."""
    with pytest.raises(ConfigError, match=r"sinks\.mail\.type: .*'webhok'; did you mean 'webhook'\?"):
        make_sinks(Config(sinks={"mail": Sink(type="webhok", options={})}))


class Links:
    """A sink that keeps what it was given, and knows links to unsubscribe with."""

    has_unsubscribe_links = True

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.options = options


class Plain(Links):
    """One that knows none."""

    has_unsubscribe_links = False


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register both, as an installer does."""
    info = tmp_path / "made-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made\nVersion: 1.0\n")
    entries = [f"{kind.__name__.lower()} = made_sinks:{kind.__name__}" for kind in (Links, Plain)]
    (info / "entry_points.txt").write_text("\n".join(["[sojourn.sinks]", *entries]))
    monkeypatch.syspath_prepend(tmp_path)
    made = ModuleType("made_sinks")
    made.Links, made.Plain = Links, Plain  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_sinks", made)


@pytest.mark.usefixtures("registered")
def test_a_sink_that_knows_links_to_unsubscribe_with_is_given_the_houses() -> None:
    """One secret and one address for the page that answers them; a sink's own come first."""
    own = {"unsubscribe_url": "https://other.example/{token}"}
    house = Unsubscribe(secret=Secret("a secret of the house"), public_url="https://shop.example/")
    sinks = {
        "mail": Sink(type="links", options={}),
        "own": Sink(type="links", options=own),
        "plain": Sink(type="plain", options={}),
    }
    made: dict[str, Any] = make_sinks(Config(sinks=sinks, unsubscribe=house))
    given = {
        "unsubscribe_url": "https://shop.example/u/{token}",
        "unsubscribe_secret": "a secret of the house",
    }
    assert [made[name].options for name in sinks] == [given, given | own, {}]
    made = make_sinks(Config(sinks=sinks))
    assert [made[name].options for name in sinks] == [{}, own, {}]


def test_a_sinks_own_rate_comes_before_that_of_all() -> None:
    """Without a burst, what comes while a loaded event loop oversleeps may go at once."""
    sinks = {
        "mail": Sink(type="webhook", options={}, rate=Rate(most=1_000)),
        "crm": Sink(type="webhook", options={}, rate=Rate(most=5, per_ms=60_000, burst=2)),
        "other": Sink(type="webhook", options={}),
    }
    assert rates_of(Config(sinks=sinks)) == {
        "mail": LaneRate(most=1_000, per_ms=1_000, burst=20),
        "crm": LaneRate(most=5, per_ms=60_000, burst=2),
    }
    with_default = rates_of(Config(sinks=sinks, deliver=Deliver(rate=Rate(most=3, per_ms=10_000))))
    assert with_default["other"] == with_default["console"] == LaneRate(most=3, per_ms=10_000, burst=1)
