"""The command line."""


def main() -> None:
    """Run `sojourn`."""
    from sojourn.cli.app import app  # noqa: PLC0415 - the console script imports this package before it calls us

    app()
