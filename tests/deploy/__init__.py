"""What is in `deploy/`: whether it fits the code, its schemas, and what runs."""
