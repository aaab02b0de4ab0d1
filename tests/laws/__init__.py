"""The laws: live = replay = partitioned, whatever the history."""
