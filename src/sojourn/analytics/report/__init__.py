"""Reports: one page of its own with tables and plots, that needs no network and runs no script."""

from sojourn.analytics.report.charts import Bar, Cell, Link, Span, bars, flows, heat, spans
from sojourn.analytics.report.page import Section, page

__all__ = ["Bar", "Cell", "Link", "Section", "Span", "bars", "flows", "heat", "page", "spans"]
