"""The demo: its shop and its receiver, which must not be wrong themselves."""
