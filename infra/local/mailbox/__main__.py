"""Serves the mailbox until it is told to stop: `python -m infra.local.mailbox --folder PATH --port 0`."""

import argparse
import signal
import sys
from pathlib import Path
from threading import Thread
from types import FrameType

from infra.local.mailbox.running import address, server
from infra.local.mailbox.server import MailboxApp


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.mailbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen on loopback (default: a free port)")
    parser.add_argument("--ready-file", type=Path, help="written with the address once it answers")
    parser.add_argument("--folder", type=Path, required=True, help="where the mails lie")
    parser.add_argument("--key", help="the only API key to accept as SendGrid's (default: any)")
    told = parser.parse_args(arguments)
    listening = server(MailboxApp(told.folder, key=told.key), told.port)

    def stop(_: int, __: FrameType | None) -> None:
        # Not from this thread: it is the one that serves.
        Thread(target=listening.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"The mailbox listens on {address(listening)}.", flush=True)
    if told.ready_file:
        told.ready_file.write_text(address(listening))
    listening.serve_forever(0.05)
    listening.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
