"""Drawing: a journey graph as a Mermaid flowchart, for pages that draw it themselves (GitHub, many wikis).

Steps are called n0, n1, ... and carry their names as text: what comes from outside never becomes syntax.
"""

from __future__ import annotations

from collections.abc import Iterator

from sojourn.analytics.graph.journey_graph import JourneyGraph
from sojourn.definitions.drawing.mermaid import safe_text

_INDENT = "  "


def mermaid_of(graph: JourneyGraph) -> str:
    """Write a graph as a Mermaid flowchart; what it does not show is said in its last box."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: JourneyGraph) -> Iterator[str]:
    nodes = graph.nodes.to_dicts()
    number = {row["name"]: i for i, row in enumerate(nodes)}
    yield "flowchart LR"
    if not nodes:
        return
    yield f"{_INDENT}start([start])"
    yield f"{_INDENT}stop([end])"
    for row in nodes:
        label = f"{row['name']} · {row['count']:,} times, {row['people']:,} people"
        yield f'{_INDENT}n{number[row["name"]]}["{safe_text(label)}"]'
    for row in nodes:
        if row["starts"]:
            yield f"{_INDENT}start -->|{row['starts']:,}| n{number[row['name']]}"
    for row in graph.edges.to_dicts():
        if row["kind"] == "other":
            yield f'{_INDENT}rest["{row["count"]:,} more moves between these steps are not drawn"]'
            continue
        share = safe_text(f"{row['count']:,} · {row['share']:.0%}")
        yield f'{_INDENT}n{number[row["source"]]} -->|"{share}"| n{number[row["target"]]}'
    for row in nodes:
        if row["ends"]:
            yield f"{_INDENT}n{number[row['name']]} -->|{row['ends']:,}| stop"
