"""The engine: pure functions from a state and inputs to a new state, facts and actions.

No clock, randomness, files, sockets, asyncio or logging. Time is an argument.
"""
