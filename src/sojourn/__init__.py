"""Sojourn: a real-time customer-journey engine."""

__version__ = "0.1.0"
