"""Steps: from the names events have to the nodes of the journey graph, by rules written in YAML.

    steps:
      Product page: { pages: "/product/*", rank: 1 }
      Cart: { events: [cart, Cart Viewed], rank: 2 }
      Bought: { events: "order_*", rank: 3 }
    left_out: [heartbeat, "debug_*"]
    others: keep

The first rule that fits decides, in the order of the file; what is left out comes before all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct

from sojourn.analytics.texts import read_text
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.yaml import AnyNode, MappingNode, ScalarNode, SequenceNode, load
from sojourn.model.errors import DefinitionError, Problem

KEEP, LEAVE_OUT = "keep", "leave_out"
PAGE_EVENTS = (
    "page",
    "$page",
    "$pageview",
    "page_view",
    "pageview",
    "Page Viewed",
    "Viewed Page",
    "screen",
    "$screen",
)
"""Events that say only that a page was seen: with page templates, the page is what was done."""

_ADDRESSES = ("/", "http://", "https://")

_KEYWORDS = ("steps", "left_out", "others")
_STEP_KEYWORDS = ("events", "pages", "rank")
_MAX_RANK = 1_000


class StepRule(Struct, frozen=True, kw_only=True):
    """What becomes one step."""

    step: str
    events: tuple[str, ...] = ()
    """Names of events; `*` stands for any characters."""
    pages: tuple[str, ...] = ()
    """Templates of paths: `*` or `:id` stands for one part, `**` for any number of them."""


class StepRules(Struct, frozen=True, kw_only=True):
    """How names of events become steps. The empty rules keep every name."""

    rules: tuple[StepRule, ...] = ()
    left_out: tuple[str, ...] = ()
    """Events that are no steps; `*` stands for any characters."""
    others: str = KEEP
    """What becomes of what no rule names: KEEP, LEAVE_OUT, or the name of one step for all of it."""
    ranks: Mapping[str, int] = {}
    """Step -> how far along the journey it is; going to a lower rank is a regression."""

    @property
    def has_pages(self) -> bool:
        """Whether pages matter."""
        return any(rule.pages for rule in self.rules)

    def names(self, events: Sequence[str], pages: Sequence[str | None] | None = None) -> list[str | None]:
        """Return the step of each event; None where it is left out.

        Args:
            events: Names of events; one that is an address or begins with a slash is a page itself.
            pages: The page of each, a path or an address, where it has one.
        """
        compiled = [_Compiled(None, _any_of(self.left_out))]
        compiled += [
            _Compiled(rule.step, _any_of(rule.events), tuple(map(_template, rule.pages)))
            for rule in self.rules
        ]
        return [
            self._name(event, page, compiled)
            for event, page in zip(events, pages or [None] * len(events), strict=True)
        ]

    def _name(self, event: str, page: str | None, compiled: Sequence[_Compiled]) -> str | None:
        seen = event if page is None and event.startswith(_ADDRESSES) else page
        path = None if seen is None else path_of(seen)
        for one in compiled:
            if one.events.fullmatch(event) or (path and any(each.fullmatch(path) for each in one.pages)):
                return one.step
        if self.others == KEEP:
            return event if page is None else path
        return None if self.others == LEAVE_OUT else self.others


class _Compiled(NamedTuple):
    """A rule as patterns; its step None: what fits is left out."""

    step: str | None
    events: re.Pattern[str]
    pages: tuple[re.Pattern[str], ...] = ()


def load_steps(path: Path) -> StepRules:
    """Read step rules from a file.

    Raises:
        ConfigError: There is no such file.
        DefinitionError: It says something else than rules; each problem with its line.
    """
    return read_steps(read_text(path, "these step rules"), file=str(path))


def read_steps(text: str, *, file: str) -> StepRules:
    """Read step rules; raise DefinitionError with every problem at its line."""
    reading = _Reading(file)
    entries = reading.object(load(text, file=file), "step rules", _KEYWORDS)
    rules, ranks = [], {}
    for name, node in reading.entries(entries.get("steps"), "steps by name"):
        parts = reading.object(node, "a step", _STEP_KEYWORDS)
        if "rank" in parts:
            ranks[name] = reading.rank(parts["rank"])
        events = reading.texts(parts.get("events")) if "events" in parts or "pages" in parts else (name,)
        rules.append(StepRule(step=name, events=events, pages=reading.texts(parts.get("pages"))))
    others = reading.texts(entries.get("others")) or (KEEP,)
    left_out = reading.texts(entries.get("left_out"))
    if reading.problems:
        raise DefinitionError(reading.problems)
    return StepRules(rules=tuple(rules), left_out=left_out, others=others[0], ranks=ranks)


def path_of(page: str) -> str:
    """Return the path of a page's address, without host, query, fragment and last slash.

    >>> path_of("https://shop.example/product/7/?from=mail#top"), path_of("/")
    ('/product/7', '/')
    """
    try:
        path = urlsplit(page).path
    except ValueError:  # An address that is none, such as http://[
        path = page
    return path.rstrip("/") or "/"


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    """Compile names in which `*` stands for any characters; none of them fits nothing."""
    each = [".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns]
    return re.compile("|".join(f"(?:{one})" for one in each) or r"(?!)", re.S)


_PART = re.compile(r"(/\*\*|\*\*|\*|:[A-Za-z_]\w*)")
_PARTS = {"/**": "(?:/.*)?", "**": ".*"}


def _template(page: str) -> re.Pattern[str]:
    """Compile a page's template."""
    path = page.rstrip("/") or "/"
    parts = [
        _PARTS.get(part, "[^/]+") if index % 2 else re.escape(part)
        for index, part in enumerate(_PART.split(path))
    ]
    return re.compile("".join(parts), re.S)


class _Reading:
    """One file of rules being read, and what is wrong in it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def object(self, node: AnyNode, kind: str, keywords: Sequence[str]) -> Mapping[str, AnyNode]:
        if isinstance(node, ScalarNode) and node.value is None:
            return {}
        if not isinstance(node, MappingNode):
            self._refuse(node, f"expected {kind} as an object, with {', '.join(keywords)}", "bad-type")
            return {}
        for key, place in node.keys.items():
            if key not in keywords:
                self._refuse(
                    place, f"{kind} knows no {key!r}{did_you_mean(key, keywords)}", "unknown-keyword"
                )
        return node.entries

    def entries(self, node: AnyNode | None, expected: str) -> list[tuple[str, AnyNode]]:
        if node is None:
            return []
        if not isinstance(node, MappingNode):
            self._refuse(node, f"expected {expected}", "bad-type")
            return []
        return list(node.entries.items())

    def texts(self, node: AnyNode | None) -> tuple[str, ...]:
        if node is None:
            return ()
        each = node.items if isinstance(node, SequenceNode) else (node,)
        found = []
        for item in each:
            if isinstance(item, ScalarNode) and item.text:
                found.append(item.text)
            else:
                self._refuse(item, "expected a name, or a list of names", "bad-type")
        return tuple(found)

    def rank(self, node: AnyNode) -> int:
        value = node.value if isinstance(node, ScalarNode) else None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_RANK:
            return value
        self._refuse(node, f"expected a rank as a whole number from 0 to {_MAX_RANK}", "bad-value")
        return 0

    def _refuse(self, node: AnyNode, message: str, code: str) -> None:
        problem = Problem(file=self.file, line=node.line, column=node.column, message=message, code=code)
        self.problems.append(problem)
