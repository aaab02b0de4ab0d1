"""Rehearsal: a draft over past events, or over an invented population; nothing is sent."""
