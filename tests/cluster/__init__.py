"""A real Kafka and a real Flink, started here: `make cluster-test`."""
