"""Configuration: one file plus environment, read once, wrong settings refused with what to do."""
