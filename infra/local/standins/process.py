"""A stand-in as a process: the options that each has, and serving until it is told to stop."""

import argparse
import signal
from pathlib import Path
from threading import Thread
from types import FrameType

from flask import Flask

from infra.local.standins.running import address, server


def options(module: str, description: str | None) -> argparse.ArgumentParser:
    """The parser of `python -m MODULE`, with the options that each stand-in has."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--port", type=int, default=0, help="where to listen on loopback (default: a free port)")
    parser.add_argument("--ready-file", type=Path, help="written with the address once it answers")
    return parser


def serve(title: str, app: Flask, told: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT; once it listens, say where and write the ready file."""
    listening = server(app, told.port)

    def stop(_: int, __: FrameType | None) -> None:
        # Not from this thread: it is the one that serves.
        Thread(target=listening.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"{title} listens on {address(listening)}.", flush=True)
    if told.ready_file:
        told.ready_file.write_text(address(listening))
    listening.serve_forever(0.05)
    listening.server_close()
