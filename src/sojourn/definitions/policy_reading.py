"""Reading a policy: from its YAML to what the engine asks, with every problem at its line and column."""

from __future__ import annotations

import re
from typing import Literal, cast

from sojourn.definitions.churn import ChurnModel
from sojourn.definitions.durations import parse_duration
from sojourn.definitions.friction_reading import read_churn, read_friction
from sojourn.definitions.friction_rules import FrictionRules
from sojourn.definitions.policy import DEFAULT_HOLDOUT, EVERYTHING, MAX_MOST, Cap, Channel, Policy, Quiet
from sojourn.definitions.policy_schema import TIME_OF_DAY_PATTERN
from sojourn.definitions.reading import Reading
from sojourn.definitions.schema_parts import CHANNEL_PATTERN
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode
from sojourn.definitions.zones import zone_named, zone_names

MAX_CHANNELS = 20  # email, push, sms, in-app, ...: peers know eight.
MAX_CAPS = 10  # in one list; each is asked for every message.

_TIME_OF_DAY = re.compile(TIME_OF_DAY_PATTERN, re.ASCII)
_CHANNEL = re.compile(CHANNEL_PATTERN, re.ASCII)
_CALENDAR = ("day", "week", "month")
_CONSENTS = ("opt_out", "opt_in")
_THENS = ("later", "drop")


def read_policy(node: AnyNode, reading: Reading) -> Policy:
    """Read what stands under `policy:`; problems are noted in `reading`, and the result is then of no use."""
    entries = reading.mapping(node, "policy")
    quiet = _quiet(entries["quiet"], reading) if "quiet" in entries else None
    channels: dict[str, Channel] = {}
    if "channels" in entries:
        for key, value in reading.any_mapping(entries["channels"], "an object: channel -> what holds for it"):
            _name_channel(key, reading)
            channels[key.text] = _channel(value, reading, quiet=quiet)
        if len(channels) > MAX_CHANNELS:
            reading.refuse(entries["channels"], f"expected at most {MAX_CHANNELS} channels", "bad-value")
        _refuse_shared_sinks(entries["channels"], channels, reading)
    return Policy(
        channels=channels,
        caps=_caps(entries["caps"], reading) if "caps" in entries else (),
        quiet=quiet,
        holdout=reading.share(entries["holdout"]) if "holdout" in entries else DEFAULT_HOLDOUT,
        time_zone=_time_zone(entries["time_zone"], reading) if "time_zone" in entries else "UTC",
        friction=read_friction(entries["friction"], reading) if "friction" in entries else FrictionRules(),
        churn=read_churn(entries["churn"], reading) if "churn" in entries else ChurnModel(),
    )


def _channel(node: AnyNode, reading: Reading, *, quiet: Quiet | None) -> Channel:
    """Read one channel; `quiet` holds where it says nothing of its own."""
    if isinstance(node, ScalarNode) and node.value is None:
        return Channel(quiet=quiet)
    entries = reading.mapping(node, "channel")
    consent = _word(entries["consent"], _CONSENTS, reading) if "consent" in entries else "opt_out"
    sinks = reading.items(entries["sinks"], "the names of sinks") if "sinks" in entries else ()
    return Channel(
        sinks=frozenset(reading.text(sink, "the name of a sink") for sink in sinks),
        consent=cast(Literal["opt_out", "opt_in"], consent),
        caps=_caps(entries["caps"], reading) if "caps" in entries else (),
        quiet=_quiet(entries["quiet"], reading) if "quiet" in entries else quiet,
        holdout=reading.share(entries["holdout"]) if "holdout" in entries else 0.0,
    )


def _name_channel(key: ScalarNode, reading: Reading) -> None:
    if key.text == EVERYTHING:
        reading.refuse(key, f"{EVERYTHING!r} means every channel; name this one after what it is", "bad-name")
    elif not _CHANNEL.fullmatch(key.text):
        message = f"a channel is a lower-case word of letters, digits, - and _, got {key.text[:40]!r}"
        reading.refuse(key, message, "bad-name")


def _refuse_shared_sinks(node: AnyNode, channels: dict[str, Channel], reading: Reading) -> None:
    owners: dict[str, str] = {}
    for name, channel in channels.items():
        for sink in sorted(channel.sinks):
            if owners.setdefault(sink, name) != name:
                message = f"the sink {sink!r} belongs to {owners[sink]!r} and to {name!r}; name it in one"
                place = node.keys[name] if isinstance(node, MappingNode) else node
                reading.refuse(place, message, "duplicate-sink")


def _caps(node: AnyNode, reading: Reading) -> tuple[Cap, ...]:
    several = reading.items(node, "a list of caps, such as [{ most: 3, per: 7d }]")
    if len(several) > MAX_CAPS:
        reading.refuse(node, f"expected at most {MAX_CAPS} caps", "bad-value")
    return tuple(_cap(each, reading) for each in several)


def _cap(node: AnyNode, reading: Reading) -> Cap:
    entries = reading.mapping(node, "cap", required=("most", "per"))
    most = _most(entries["most"], reading) if "most" in entries else 1
    if "per" not in entries:
        return Cap(most=most)
    per = reading.text(entries["per"], "day, week, month or a duration such as 24h")
    if per in _CALENDAR:
        return Cap(most=most, calendar=cast(Literal["day", "week", "month"], per))
    try:
        return Cap(most=most, within_ms=parse_duration(per or "1ms"))
    except ValueError as error:
        hint = did_you_mean(per, _CALENDAR)
        reading.refuse(entries["per"], f"{error}, or day, week or month{hint}", "bad-duration")
        return Cap(most=most)


def _most(node: AnyNode, reading: Reading) -> int:
    most = node.value if isinstance(node, ScalarNode) else None
    if isinstance(most, bool) or not isinstance(most, int) or not 0 <= most <= MAX_MOST:
        reading.refuse(node, f"expected a whole number from 0 to {MAX_MOST}", "bad-value")
        return 1
    if most == 0:
        reading.warn(node, "a cap of 0 withholds every message", "blocks-every-send")
    return most


def _quiet(node: AnyNode, reading: Reading) -> Quiet | None:
    if isinstance(node, ScalarNode) and node.text == "off":
        return None
    entries = reading.mapping(node, "quiet", required=("from", "to"))
    if not {"from", "to"} <= entries.keys():
        return None
    start_min, end_min = _minute(entries["from"], reading), _minute(entries["to"], reading)
    then = _word(entries["then"], _THENS, reading) if "then" in entries else "later"
    if start_min is None or end_min is None:
        return None
    if start_min == end_min:
        message = "quiet hours that end when they begin are none, or the whole day; change one, or say off"
        reading.refuse(node, message, "blocks-every-send")
        return None
    return Quiet(start_min=start_min, end_min=end_min, then=cast(Literal["later", "drop"], then))


def _minute(node: AnyNode, reading: Reading) -> int | None:
    text = reading.text(node, 'a time of day such as "22:00"')
    if not text:
        return None
    if not _TIME_OF_DAY.fullmatch(text):
        reading.refuse(
            node, f'expected a time of day from "00:00" to "23:59", got {text[:40]!r}', "bad-value"
        )
        return None
    return int(text[:2]) * 60 + int(text[3:])


def _word(node: AnyNode, words: tuple[str, ...], reading: Reading) -> str:
    word = reading.text(node, " or ".join(words))
    if word and word not in words:
        message = f"expected {' or '.join(words)}, got {word[:40]!r}{did_you_mean(word, words)}"
        reading.refuse(node, message, "bad-value")
    return word if word in words else words[0]


def _time_zone(node: AnyNode, reading: Reading) -> str:
    name = reading.text(node, "a time zone such as Europe/Berlin")
    if name and zone_named(name) is None:
        message = f"there is no time zone {name[:40]!r}{did_you_mean(name, zone_names())}"
        reading.refuse(node, message, "unknown-zone")
        return "UTC"
    return name or "UTC"
