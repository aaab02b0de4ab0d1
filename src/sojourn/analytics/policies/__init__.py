"""Policies: what a draft policy would have earned, from decisions whose probabilities were logged.

    found = evaluate(decisions, target_of(decisions, draft.shares(decisions.variants, decisions.contexts)))

A policy says with which probability each variant is drawn in each context. Decisions that were random choices
tell of other policies too, as far as these would have drawn what was drawn; beyond that, nothing does, and
`evaluate` says so.
"""
