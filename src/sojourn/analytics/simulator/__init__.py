"""Simulator: invented people among channels whose true effects are known, for what claims to measure effects."""
