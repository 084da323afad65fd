"""Serves the stand-in until it is told to stop: `python -m infra.local.maps --port 0 --ready-file PATH`."""

import sys

from infra.local.maps.server import MapsApp
from infra.local.standins.process import options, serve


def main(arguments: list[str] | None = None) -> int:
    parser = options("infra.local.maps", __doc__)
    parser.add_argument("--key", help="the only API key to accept (default: any)")
    told = parser.parse_args(arguments)
    serve("Google Maps' stand-in", MapsApp(key=told.key).wsgi, told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
