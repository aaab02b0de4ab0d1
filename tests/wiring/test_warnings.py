"""Warnings: what journeys say that is probably not meant, as `serve` tells it at its start."""

from __future__ import annotations

from pathlib import Path

from sojourn.config import Config, Sink
from sojourn.wiring.inforce import journey_warnings

JOURNEY = """\
journey: j
entry: { on: A }
states:
  a: { do: [ { webhook: support }, { console: } ], after: { 1d: done } }
"""


def test_a_sink_that_is_not_configured_is_told_with_its_place(tmp_path: Path) -> None:
    """An operator sees it before the first person gets there."""
    (tmp_path / "j.yaml").write_text(JOURNEY)

    [warning] = journey_warnings(Config(journeys=[tmp_path]))
    configured = Config(journeys=[tmp_path], sinks={"support": Sink(type="webhook", options={})})

    assert str(warning).startswith(f"{tmp_path}/j.yaml:4:25: what goes to 'support' is given up")
    assert journey_warnings(configured) == []
