"""What older releases wrote, read by today's code: see docs/adr/0037."""
