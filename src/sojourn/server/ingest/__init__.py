"""Ingest: bytes from an SDK become events, each with its verdict; the door decides nothing else."""
