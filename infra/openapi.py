"""The OpenAPI document of all HTTP functions, to a file or to standard output: `python -m infra.openapi [FILE]`."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from infra.manifest import load_all
from shared.kit.http.openapi import Document, document, merged
from shared.kit.http.routes import Route
from shared.kit.logging import mute


def routes_of(name: str) -> list[Route]:
    """The routes that an HTTP function serves."""
    main: Any = import_module(f"functions.{name}.main").main
    routes: list[Route] = main.routes
    return routes


def whole_document() -> Document:
    """The document of all HTTP functions together."""
    names = [manifest.name for manifest in load_all() if manifest.trigger.kind == "http"]
    return merged(document(name, routes_of(name)) for name in names)


def main() -> None:
    mute()
    told = json.dumps(whole_document(), indent=2)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(told + "\n")
    else:
        print(told)


if __name__ == "__main__":
    main()
