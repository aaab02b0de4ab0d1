"""Known answers: paths of real tickets."""

from __future__ import annotations

from sojourn.analytics.graph.patterns import Patterns, patterns
from sojourn.analytics.graph.sankey import sankey
from sojourn.analytics.graph.variants import variants
from sojourn.analytics.kinds import Kind
from tests.analytics.known import helpdesk

TICKET = ["Assign seriousness", "Take in charge ticket", "Resolve ticket", "Closed"]


def test_variants_of_the_help_desk() -> None:
    """README of helpdesk: 226 variants, the most frequent 2,366 times."""
    found = variants(helpdesk())
    assert (len(found), found.path(0), found.count[0], found.count.sum()) == (226, TICKET, 2_366, 4_580)


def test_tickets_that_waited_and_that_were_reopened_are_runs() -> None:
    """README of helpdesk: 482 ping-pongs with waiting, 154 resolved tickets taken up again."""
    table = patterns(helpdesk(), Patterns(min_share=0.01, max_length=3)).table()
    occurrences = {tuple(row["pattern"]): row["occurrences"] for row in table.to_dicts()}
    assert occurrences["Take in charge ticket", "Wait", "Take in charge ticket"] == 482
    assert occurrences["Resolve ticket", "Take in charge ticket"] == 154


def test_where_tickets_begin_and_end() -> None:
    """README of helpdesk: start "Assign seriousness" 4,384, end "Closed" 4,557."""
    begins = sankey(helpdesk(), n_columns=1, limit=1).nodes.to_dicts()
    ends = sankey(helpdesk(), direction="backward", n_columns=1, limit=1).nodes.to_dicts()
    assert [(row["name"], row["count"]) for row in (begins[0], ends[0])] == [
        ("Assign seriousness", 4_384),
        ("Closed", 4_557),
    ]


def test_all_tickets_are_in_every_view() -> None:
    """With and without the rest."""
    events = helpdesk()
    assert sum(variants(events).table(limit=3)["count"]) == 4_580
    drawn = sankey(events, around=Kind(("Wait",)), n_columns=4, limit=2)
    first = sum(row["count"] for row in drawn.nodes.to_dicts() if row["column"] == 0)
    assert first == drawn.definition["n_cases"] == 4_580 - drawn.definition["n_cases_without"]
