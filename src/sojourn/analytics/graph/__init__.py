"""The journey graph: what people really do, step after step."""
