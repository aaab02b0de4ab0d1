"""The demo: people of a simulated shop, the real program, and a receiver of what it decides."""
