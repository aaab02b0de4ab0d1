"""The bench of analytics: the same questions, asked of Sojourn, of its peers and of plain queries."""
