"""Readers: what other tools write, each in a file of its own.

`layouts` tells a table by its columns, `xes` reads a format of its own, `warehouse` several tables that are
one history.
"""
