"""Belonging: which segments people were in and when, and which variant of an experiment they met first."""
