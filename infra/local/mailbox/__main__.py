"""Serves the mailbox until it is told to stop: `python -m infra.local.mailbox --folder PATH --port 0`."""

import sys
from pathlib import Path

from infra.local.mailbox.server import MailboxApp
from infra.local.standins.process import options, serve


def main(arguments: list[str] | None = None) -> int:
    parser = options("infra.local.mailbox", __doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the mails lie")
    parser.add_argument("--key", help="the only API key to accept as SendGrid's (default: any)")
    told = parser.parse_args(arguments)
    serve("The mailbox", MailboxApp(told.folder, key=told.key).wsgi, told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
