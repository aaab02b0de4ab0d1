"""Definitions: what authors write, read, checked and compiled once.

Pure: text in, frozen values out, no files. YAML and Liquid are imported where text is compiled, never where a
compiled journey runs.
"""
