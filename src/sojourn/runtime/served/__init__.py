"""Served: people as a serving store has them, which follows an engine that runs elsewhere."""
