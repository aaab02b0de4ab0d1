"""The folder: what is kept comes back, and is never half there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sojourn.analytics.events import Events
from sojourn.analytics.reading import folder as folder_module
from sojourn.analytics.reading import open_events, save_events
from sojourn.model.errors import ConfigError
from tests.analytics.making import events_of, rows_of, walks_of

RICH = events_of(
    [
        ("ada", "View", 0, {"session": "s1", "country": "SE", "revenue": 5.0}),
        ("ünï", "Buy", 5, {"country": "DE"}),
        ("ada", "Buy", 7, {"session": "s2"}),
    ]
)


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """Arrays, names, attributes, amounts and what was left out."""
    events = Events(**{**fields(RICH), "left_out": {"bad-time": 3}})
    save_events(events, tmp_path / "kept")
    opened = open_events(tmp_path / "kept")
    assert rows_of(opened) == rows_of(events)
    assert opened.people == ["ada", "ünï"]
    assert dict(opened.left_out) == {"bad-time": 3}


def test_events_without_sessions_and_attributes_come_back_too(tmp_path: Path) -> None:
    """Nothing is made up."""
    save_events(walks_of("ada: A > B"), tmp_path)
    opened = open_events(tmp_path)
    assert (opened.session, opened.columns, opened.values) == (None, {}, {})
    assert rows_of(opened) == rows_of(walks_of("ada: A > B"))


def test_opening_reads_nothing_before_it_is_touched(tmp_path: Path) -> None:
    """Ten million events open at once."""
    save_events(RICH, tmp_path)
    assert isinstance(open_events(tmp_path).at.base, np.memmap)


def test_keeping_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Who opened the old ones reads on."""
    save_events(RICH, tmp_path)
    before = open_events(tmp_path)
    save_events(walks_of("bob: A > B"), tmp_path)
    assert rows_of(open_events(tmp_path)) == rows_of(walks_of("bob: A > B"))
    assert rows_of(before) == rows_of(RICH)
    assert len(list(tmp_path.glob("*.npy"))) == 5


def test_a_crash_while_keeping_leaves_the_old_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is replaced last."""
    save_events(RICH, tmp_path)
    n_saved = 0

    def failing(*args: Any, **kwargs: Any) -> None:
        nonlocal n_saved
        n_saved += 1
        if n_saved == 3:
            raise OSError("the disk is full")

    monkeypatch.setattr(folder_module.np, "save", failing)
    with pytest.raises(OSError, match="full"):
        save_events(walks_of("bob: A > B"), tmp_path)
    monkeypatch.undo()
    assert rows_of(open_events(tmp_path)) == rows_of(RICH)
    save_events(walks_of("bob: A > B"), tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 5


def test_a_folder_replaced_while_it_is_opened_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index may be read just before its files go."""
    save_events(RICH, tmp_path)
    real = folder_module._index

    def replaced_behind(folder: Path) -> Any:
        index = real(folder)
        monkeypatch.setattr(folder_module, "_index", real)
        save_events(walks_of("bob: A > B"), folder)
        return index

    monkeypatch.setattr(folder_module, "_index", replaced_behind)
    assert open_events(tmp_path).people == ["bob"]


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    """A mistyped path must not fill somebody's pictures with arrays."""
    (tmp_path / "picture.png").touch()
    with pytest.raises(ConfigError, match="holds something else than encoded events"):
        save_events(RICH, tmp_path)
    with pytest.raises(ConfigError, match="holds no encoded events"):
        open_events(tmp_path)


def test_events_of_another_version_are_refused(tmp_path: Path) -> None:
    """Reading them wrongly would be worse than reading them again."""
    save_events(RICH, tmp_path)
    index = tmp_path / "events.json"
    index.write_text(index.read_text().replace('"version":1', '"version":99'))
    with pytest.raises(ConfigError, match="encoded as version 99"):
        open_events(tmp_path)


def fields(events: Events) -> dict[str, Any]:
    """Name the fields of events."""
    return {name: getattr(events, name) for name in Events.__dataclass_fields__}
