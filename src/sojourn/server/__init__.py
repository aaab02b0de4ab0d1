"""The HTTP face: the door for events, and the API."""
