"""The nouns: what flows through the house, the ports it flows through, and the errors.

Pure: the standard library and msgspec only. No clock, randomness, files, sockets or logging.
"""
