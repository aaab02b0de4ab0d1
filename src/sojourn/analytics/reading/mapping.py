"""Mapping: which column of a file says who, what and when."""

from __future__ import annotations

import re
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence

from msgspec import Struct, structs

from sojourn.analytics.reading.readers.layouts import layout_of
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError

SHOWN_CHARS = 300  # of a file's header that a message repeats.


class Mapping(Struct, frozen=True, kw_only=True):
    """Which columns make an event; what is left empty is guessed from well-known names.

    A column is named as the file names it; `properties.cart.id` is a field inside a struct, a map or JSON
    text.
    """

    person: tuple[str, ...] = ()
    """Who: of several columns, the first that says somebody (user_id, then anonymous_id)."""
    step: tuple[str, ...] = ()
    """What was done: of several, the first that says something."""
    time: str = ""
    """When."""
    session: str = ""
    """Which visit it belongs to."""
    sequence: str = ""
    """A number that orders what happened at one instant; without it the order of the file does."""
    page: str = ""
    """The path or address of the page, for the page templates of step rules."""
    attributes: Dictionary[str, str] = {}
    """Name of an attribute -> its column."""
    values: Dictionary[str, str] = {}
    """Name of an amount -> its column, a number."""
    without: Dictionary[str, tuple[str, ...]] = {}
    """Column -> what it says in rows that are no events of anybody, as a log's own marks."""

    def columns(self) -> list[str]:
        """List every column it names, each once."""
        named = [*self.person, *self.step, self.time, self.session, self.sequence, self.page]
        named += [*self.attributes.values(), *self.values.values(), *self.without]
        return list(dict.fromkeys(filter(None, named)))


_TARGETS = ("person", "step", "time", "session", "sequence", "page")

# Names are compared without case, dots, underscores and the like: `userId`, `user_id` and `User ID` are one.
# fmt: off
_PERSON = (
    "profileid", "personid", "userid", "useridentifier", "caseconceptname", "caseid", "case", "distinctid",
    "propertiesdistinctid", "userpseudoid", "anonymousid", "domainuserid", "amplitudeid", "customerid",
    "visitorid", "visitor", "clientid", "memberid", "accountid", "uid", "user", "customer", "person",
    "deviceid",
)
_STEP = (
    "eventtext", "event", "eventname", "eventtype", "conceptname", "activity", "activityname", "action",
    "step", "name",
)
_TIME = (
    "timestamp", "timetimestamp", "eventtime", "eventtimestamp", "occurredat", "derivedtstamp",
    "originaltimestamp", "propertiestime", "collectortstamp", "datetime", "time", "ts", "at", "date",
    "createdat", "receivedat", "sentat",
)
_SESSION = (
    "sessionid", "domainsessionid", "gasessionid", "visitid", "propertiessessionid", "contextsessionid",
    "session", "visit",
)
_SEQUENCE = ("sequence", "seq", "sequencenumber", "eventindex")
_PAGE = (
    "pagepath", "path", "pageurl", "pageurlpath", "url", "propertiespath", "propertiescurrenturl",
    "propertiesurl", "contextpagepath", "page",
)
# fmt: on

_PERSON_PARTNERS = {
    "userid": ("amplitudeid", "userpseudoid", "domainuserid", "anonymousid"),
    "personid": ("distinctid",),
}
"""Who is asked next where the first column says nobody: how the same products name who is not known yet."""
_STEP_PARTNERS = {"event": ("name",), "eventtext": ("event",)}
"""Where an event has no name of its own: a page's, in Segment's messages."""


def parse_mapping(text: str) -> Mapping:
    """Read `person=user_id,step=event,time=ts,country=properties.country` (what=column).

    Another name than person, step, time, session, sequence and page is an attribute.
    `person=user_id|device_id` takes the first that says somebody. `event_type!=path_start|path_end` leaves
    rows out by what a column says.

    Raises:
        ConfigError: A part is not what=column, or stands twice.
    """
    pairs: dict[str, str] = {}
    without: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        target, equals, column = (piece.strip() for piece in part.partition("="))
        if target.endswith("!") and target != "!" and column:
            without[target[:-1].strip()] = tuple(value.strip() for value in column.split("|"))
            continue
        if not equals or not target or not column:
            raise ConfigError(f"--map: expected what=column, got {part!r}; for example person=user_id")
        if target in pairs:
            raise ConfigError(f"--map: {target!r} is given twice; keep one column for it")
        pairs[target] = column
    return Mapping(
        person=tuple(filter(None, pairs.get("person", "").split("|"))),
        step=tuple(filter(None, pairs.get("step", "").split("|"))),
        time=pairs.get("time", ""),
        session=pairs.get("session", ""),
        sequence=pairs.get("sequence", ""),
        page=pairs.get("page", ""),
        attributes={name: column for name, column in pairs.items() if name not in _TARGETS},
        without=without,
    )


def complete(mapping: Mapping, columns: Sequence[str], *, place: str) -> Mapping:
    """Fill what a mapping leaves open from the names of the columns.

    Args:
        mapping: What is given.
        columns: All names a file has, those inside structs and JSON with their dots.
        place: The file, for messages.

    Raises:
        ConfigError: They do not tell the person, the step or the time; the message says which.
    """
    known = {plain(column): column for column in reversed(columns)}
    mapping = _laid_out(mapping, known)
    taken = structs.asdict(mapping)
    taken["person"] = mapping.person or _with_partners(_PERSON, _PERSON_PARTNERS, known)
    taken["step"] = mapping.step or _with_partners(_STEP, _STEP_PARTNERS, known)
    taken["time"] = mapping.time or _first(_TIME, known)
    taken["session"] = mapping.session or _first(_SESSION, known)
    taken["sequence"] = mapping.sequence or _first(_SEQUENCE, known)
    taken["page"] = mapping.page or _first(_PAGE, known)
    wanted = [name for name in ("person", "step", "time") if not taken[name]]
    if wanted:
        example = ",".join(f"{name}=COLUMN" for name in wanted)
        raise ConfigError(
            f"{place}: its columns ({', '.join(columns)[:SHOWN_CHARS]}) do not tell the"
            f" {' and the '.join(wanted)}; say which do: --map {example}"
        )
    return Mapping(**taken)


def unknown_column(column: str, columns: Sequence[str], *, place: str) -> ConfigError:
    """Make the error for a column that is named and not there."""
    return ConfigError(f"{place}: has no column {column!r}{did_you_mean(column, columns)}")


def _laid_out(mapping: Mapping, known: Dictionary[str, str]) -> Mapping:
    """Fill what a mapping leaves open from the layout of the columns, where it is a known one.

    What leaves rows out holds unless somebody says what else the column's rows are to be left out by.
    """
    layout = layout_of(known)
    if layout is None:
        return mapping
    added = {known[column]: tuple(sorted(values)) for column, values in layout.without.items()}
    return structs.replace(
        mapping,
        person=mapping.person or (known[layout.person],),
        step=mapping.step or (known[layout.step],),
        time=mapping.time or known[layout.time],
        sequence=mapping.sequence or (known[layout.sequence] if layout.sequence else ""),
        without={**added, **mapping.without},
    )


def plain(name: str) -> str:
    """Write a name as it is compared.

    >>> plain("case:concept:name"), plain("userId")
    ('caseconceptname', 'userid')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _first(names: Sequence[str], known: Dictionary[str, str]) -> str:
    return next((known[name] for name in names if name in known), "")


def _with_partners(
    names: Sequence[str], partners: Dictionary[str, Sequence[str]], known: Dictionary[str, str]
) -> tuple[str, ...]:
    first = next((name for name in names if name in known), None)
    if first is None:
        return ()
    return tuple(known[name] for name in (first, *partners.get(first, ())) if name in known)
