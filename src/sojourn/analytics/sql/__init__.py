"""SQL: the questions of analytics as texts that more than one engine answers, over the same Parquet.

    from sojourn.analytics import sql

    text = sql.journey_edges(sql.Steps(), dialect="spark")  # for whoever runs it: spark.sql(text)

Nothing is run here. What a text counts is what `sojourn.analytics` counts: tests hold each to the other
(docs/adr/0020-analytics-beyond-one-machine.md).
"""

from __future__ import annotations

from sojourn.analytics.sql.cohorts import retention
from sojourn.analytics.sql.dialects import DIALECTS, DialectName
from sojourn.analytics.sql.funnels import funnel
from sojourn.analytics.sql.graph import journey_edges, journey_nodes, step_matrix
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.analytics.sql.steps import Steps
from sojourn.analytics.sql.touches import position_credit, touch_paths

__all__ = [
    "DIALECTS",
    "DialectName",
    "Steps",
    "funnel",
    "journey_edges",
    "journey_nodes",
    "position_credit",
    "quoted",
    "retention",
    "step_matrix",
    "text_sql",
    "touch_paths",
]
