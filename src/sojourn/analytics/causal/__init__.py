"""Causal: what channels, journeys and single messages brought about, told by those a hold-out kept from them."""
