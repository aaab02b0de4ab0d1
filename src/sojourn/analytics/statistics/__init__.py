"""Statistics: how far two arms lie apart, and how sure that is, in closed forms.

Numbers in, small frozen structs out: means and variances, no rows. A difference is always treated less
control. The standard library and numpy only; statistics libraries are the oracles of its tests
(`tests/peers/test_statistics.py`).
"""
