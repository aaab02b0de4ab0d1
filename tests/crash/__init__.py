"""Crashes: the real program, killed at random, and what must still be true."""
