"""Simulator: invented people among channels whose effects are known, for what claims to measure them."""
