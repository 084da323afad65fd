"""Serves the stand-in until it is told to stop: `python -m infra.local.square --port 0 --ready-file PATH`."""

import sys
from pathlib import Path

from infra.local.square.server import SquareApp
from infra.local.square.webhooks import Webhooks
from infra.local.standins.process import options, serve


def main(arguments: list[str] | None = None) -> int:
    parser = options("infra.local.square", __doc__)
    parser.add_argument("--state", type=Path, help="a file that keeps its state across restarts")
    parser.add_argument("--token", help="the only access token to accept (default: any)")
    parser.add_argument("--webhook-url", default="", help="where events are announced")
    parser.add_argument("--signature-key", default="", help="what announcements are signed with")
    told = parser.parse_args(arguments)
    if told.webhook_url and not told.signature_key:
        parser.error("--webhook-url needs --signature-key")
    webhooks = Webhooks(told.webhook_url, told.signature_key) if told.webhook_url else None
    serve("Square's stand-in", SquareApp(token=told.token, file=told.state, webhooks=webhooks).wsgi, told)
    if webhooks is not None:
        webhooks.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
