"""The bench: figures that anybody can measure again, each beside the raw limit of the machine."""
