"""Toward internet scale, on paper: a model fitted to what was measured, and a simulation beside it."""
