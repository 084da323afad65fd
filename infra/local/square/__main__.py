"""Serves the stand-in until it is told to stop: `python -m infra.local.square --port 0 --ready-file PATH`."""

import argparse
import signal
import sys
from pathlib import Path
from threading import Thread
from types import FrameType

from infra.local.square.running import address, server
from infra.local.square.server import SquareApp
from infra.local.square.webhooks import Webhooks


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.square", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen on loopback (default: a free port)")
    parser.add_argument("--ready-file", type=Path, help="written with the address once it answers")
    parser.add_argument("--state", type=Path, help="a file that keeps its state across restarts")
    parser.add_argument("--token", help="the only access token to accept (default: any)")
    parser.add_argument("--webhook-url", default="", help="where events are announced")
    parser.add_argument("--signature-key", default="", help="what announcements are signed with")
    told = parser.parse_args(arguments)
    if told.webhook_url and not told.signature_key:
        parser.error("--webhook-url needs --signature-key")
    webhooks = Webhooks(told.webhook_url, told.signature_key) if told.webhook_url else None
    listening = server(SquareApp(token=told.token, file=told.state, webhooks=webhooks), told.port)

    def stop(_: int, __: FrameType | None) -> None:
        # Not from this thread: it is the one that serves.
        Thread(target=listening.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"Square's stand-in listens on {address(listening)}.", flush=True)
    if told.ready_file:
        told.ready_file.write_text(address(listening))
    listening.serve_forever(0.05)
    listening.server_close()
    if webhooks is not None:
        webhooks.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
