"""Runtimes: they read the log, call `turn`, commit the result whole, and carry actions out."""
