"""Policies: off-policy evaluation and what is learnt."""
