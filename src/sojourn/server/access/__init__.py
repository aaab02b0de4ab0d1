"""Access: who may ask the API, by token or by signing in, and for what."""
