"""The file sink and the console sink: one line of JSON for each action."""

from __future__ import annotations

import asyncio
import json
import resource
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sojourn.adapters import file as file_room
from sojourn.adapters.console import ConsoleSink
from sojourn.adapters.file import FileSink
from sojourn.model.action import Action
from sojourn.model.errors import ConfigError, SinkError
from sojourn.model.ports import Sink
from sojourn.testing.sink import check_sink, checked_action


def read(path: Path) -> list[Action]:
    """Read what the sink wrote."""
    return [msgspec.json.decode(line, type=Action) for line in path.read_bytes().splitlines()]


def deliver(sink: Sink, *numbers: int) -> None:
    """Deliver actions of the battery and close."""

    async def story() -> None:
        for n in numbers:
            await sink.deliver(checked_action(n))
        await sink.close()

    asyncio.run(story())


@pytest.mark.parametrize("fsync", [False, True])
def test_each_action_is_a_line(tmp_path: Path, fsync: bool) -> None:
    """In the order of delivery, whole, as the outbox keeps it."""
    deliver(FileSink("f", {"path": str(tmp_path / "out.jsonl"), "fsync": fsync}), 0, 1, 2)
    assert read(tmp_path / "out.jsonl") == [checked_action(0), checked_action(1), checked_action(2)]


def test_a_repeated_action_adds_no_line(tmp_path: Path) -> None:
    """The outbox may send again: the id says that it was."""
    deliver(FileSink("f", {"path": str(tmp_path / "out.jsonl")}), 0, 1, 0, 1)
    assert read(tmp_path / "out.jsonl") == [checked_action(0), checked_action(1)]


def test_the_memory_of_ids_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it a repetition is written again: at least once is what is promised."""
    monkeypatch.setattr(file_room, "REMEMBERED_IDS", 2)
    sink = FileSink("f", {"path": str(tmp_path / "out.jsonl")})
    deliver(sink, 0, 1, 2, 2, 0)
    assert [action.id for action in read(tmp_path / "out.jsonl")] == [
        checked_action(n).id for n in (0, 1, 2, 0)
    ]
    assert len(sink._written) == 2


def test_a_file_is_appended_to_and_never_cut(tmp_path: Path) -> None:
    """A restart keeps what was written."""
    path = tmp_path / "out.jsonl"
    deliver(FileSink("f", {"path": str(path)}), 0)
    deliver(FileSink("f", {"path": str(path)}), 1)
    assert read(path) == [checked_action(0), checked_action(1)]


def test_a_line_torn_by_a_crash_spoils_only_itself(tmp_path: Path) -> None:
    """The next line begins on a line of its own."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"id":"torn')
    deliver(FileSink("f", {"path": str(path)}), 1)
    assert path.read_bytes().splitlines()[0] == b'{"id":"torn'
    assert msgspec.json.decode(path.read_bytes().splitlines()[1], type=Action) == checked_action(1)


def test_a_disk_that_says_no_is_tried_again() -> None:
    """/dev/full is a disk without space."""

    async def story() -> SinkError:
        sink = FileSink("f", {"path": "/dev/full"})
        with pytest.raises(SinkError) as caught:
            await sink.deliver(checked_action(0))
        await sink.close()
        return caught.value

    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    error = asyncio.run(story())
    assert error.retry
    assert "No space left" in str(error)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs 'path'; its options are: path"),
        ({"path": "/no/such/folder/out.jsonl"}, "name a file in a folder that exists"),
        ({"path": "/dev/null", "fsync": "yes"}, "Expected `bool`"),
    ],
)
def test_wrong_options_of_a_file_are_refused(options: dict[str, Any], message: str) -> None:
    """At the start, with what to do."""
    with pytest.raises(ConfigError) as caught:
        FileSink("f", options)
    assert message in str(caught.value)


def test_the_file_sink_passes_the_battery(tmp_path: Path) -> None:
    """The same that third parties' sinks pass."""
    path = tmp_path / "out.jsonl"
    asyncio.run(
        check_sink(FileSink, {"path": str(path)}, arrived=lambda: [action.id for action in read(path)])
    )


def test_the_console_sink_passes_the_battery(capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard output for each action."""
    printed: list[str] = []

    def arrived() -> list[str]:
        printed.extend(capsys.readouterr().out.splitlines())
        return [msgspec.json.decode(line, type=Action).id for line in printed]

    asyncio.run(check_sink(ConsoleSink, {}, arrived=arrived))


def test_a_reader_that_is_gone_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sojourn serve | head` closes the pipe."""

    class Gone:
        def write(self, text: str) -> None:
            raise BrokenPipeError(32, "Broken pipe")

        def flush(self) -> None:
            """Nothing was written."""

    monkeypatch.setattr("sys.stdout", Gone())
    with pytest.raises(SinkError, match="standard output is gone"):
        asyncio.run(ConsoleSink("c", {}).deliver(checked_action(0)))


def test_a_disk_that_is_full_in_the_middle_of_a_line_spoils_no_other_line(tmp_path: Path) -> None:
    """Where not even the end of the torn line could be written, it is once there is room again."""
    path = tmp_path / "actions.jsonl"
    sink = FileSink("file", {"path": str(path)})
    asyncio.run(sink.deliver(checked_action(1)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, limits[1]))
        with pytest.raises(SinkError) as caught:
            asyncio.run(sink.deliver(checked_action(2)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.retry
    asyncio.run(sink.deliver(checked_action(2)))
    first, torn, second = path.read_text().splitlines()
    assert (json.loads(first)["id"], json.loads(second)["id"]) == (checked_action(1).id, checked_action(2).id)
    assert len(torn) == 10
