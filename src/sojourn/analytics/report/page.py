"""The page: sections below one another, in one file with its style; it loads nothing and runs no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from msgspec import Struct

MAX_ROWS = 200  # of a table; it says how many more there are.

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --paper: #fdfdfb; --soft: #6b7485; --rule: #dfe3ea;
  --hue: #2f6f9f; --flow: #2f6f9f40; --doubt: #a9b4c4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --paper: #14171c; --soft: #98a2b3;
  --rule: #2c323d; --hue: #6fb1de; --flow: #6fb1de40; --doubt: #55606f; } }
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 920px; margin: 2.5rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.4rem; }
p.note, caption { color: var(--soft); text-align: left; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin: .8rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid var(--rule); }
td.number, th.number { text-align: right; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg text.told { fill: var(--soft); }
svg text.light { fill: #fff; } svg text.dark { fill: #1c2330; }
.bar { fill: var(--hue); } .doubtful { fill: var(--doubt); }
.whisker { stroke: var(--ink); stroke-width: 1.2; } .flow { fill: none; stroke: var(--flow); }
.shade0 { fill: #e8f0f6; } .shade1 { fill: #c4d9e8; } .shade2 { fill: #98bdd7; } .shade3 { fill: #659cc1; }
.shade4 { fill: #3a7aa6; } .shade5 { fill: #1f567f; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; color: var(--soft); }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
"""


class Section(Struct, frozen=True):
    """One part of a page: words, a picture, a table, each where it is given."""

    title: str
    note: str = ""
    picture: str = ""
    """SVG, as `charts` draws it."""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()


def page(title: str, sections: Sequence[Section], *, definition: Mapping[str, Any]) -> str:
    """Write a whole page: what was found, and at its end what every number means."""
    parts = [f"<h1>{escape(title)}</h1>", *map(_section, sections)]
    if definition:
        rows = "".join(
            f"<dt>{escape(str(name))}</dt><dd>{escape(_told(value))}</dd>"
            for name, value in definition.items()
        )
        parts.append(f"<h2>What these numbers mean</h2><dl>{rows}</dl>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _section(section: Section) -> str:
    note = f'<p class="note">{escape(section.note)}</p>' if section.note else ""
    return f"<section><h2>{escape(section.title)}</h2>{note}{section.picture}{_table(section)}</section>"


def _table(section: Section) -> str:
    if not section.columns:
        return ""
    css = [_css(section.rows, j) for j in range(len(section.columns))]
    head = "".join(_cell("th", name, one) for name, one in zip(section.columns, css, strict=True))
    lines = [zip(row, css, strict=True) for row in section.rows[:MAX_ROWS]]
    body = "".join(f"<tr>{''.join(_cell('td', *cell) for cell in line)}</tr>" for line in lines)
    more = len(section.rows) - MAX_ROWS
    rest = f"<caption>and {more:,} more rows</caption>" if more > 0 else ""
    return f"<table>{rest}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(tag: str, value: Any, css: str) -> str:
    return f'<{tag} class="{css}">{escape(_told(value))}</{tag}>'


def _css(rows: Sequence[Sequence[Any]], column: int) -> str:
    is_number = bool(rows) and all(
        row[column] is None or isinstance(row[column], int | float) for row in rows
    )
    return "number" if is_number else "words"


def _told(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 100 else f"{value:,.1f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_told, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_told(one)}" for name, one in value.items())
    return str(value)
