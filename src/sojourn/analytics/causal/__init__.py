"""Causal: what channels, journeys and messages brought about, told by those a hold-out kept back."""
