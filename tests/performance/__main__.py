"""`python -m tests.performance [NAME …]`: run benchmarks and print their tables."""

import sys
from importlib import import_module

from shared.kit import logging as kit_logging

USUAL = ("commerce", "browse", "outbox", "cold_start")
ALL = (*USUAL, "commerce_growth", "commerce_books", "licenses", "catalog")


def main() -> None:
    """Run the benchmarks that are named, or the usual ones, on servers of their own."""
    names = sys.argv[1:] or USUAL
    unknown = [name for name in names if name not in ALL]
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]!r}; there are {', '.join(ALL)}.")
    from tests.performance.world import servers

    kit_logging.mute()
    with servers() as running:
        for name in names:
            import_module(f"tests.performance.{name}").run(running)


if __name__ == "__main__":
    main()
