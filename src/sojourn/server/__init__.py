"""The HTTP face: the door for events, and the read-only API."""
