"""Policies: what a draft policy would have earned, from decisions whose probabilities were logged.

    decisions = read_decisions("decisions.parquet").decisions
    shares = load_drafts(path).of("offer")[1].shares(decisions.variants, decisions.contexts)
    found = evaluate(decisions, target_of(decisions, shares), Asked())

A policy says with which probability each variant is drawn in each context. Decisions that were random choices
tell of other policies too, as far as these would have drawn what was drawn; beyond that, nothing does, and
`evaluate` says so.
"""
