"""Sinks: made by whoever registered their type, refused with the types there are."""

from __future__ import annotations

import pytest

from sojourn.config import Config, Sink
from sojourn.model.errors import ConfigError
from sojourn.wiring.sinks import make_sinks


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
