"""`python -m infra.local.pubsub`: the emulator as a process, until SIGTERM or SIGINT."""

import argparse
import json
import os
import signal
import threading
from pathlib import Path

from infra.local.pubsub.emulator import Emulator, running_emulator
from infra.local.pubsub.push import MAX_OUTSTANDING


def main() -> None:
    """Serve; once ready, write {"port", "control_port", "pid"} to the ready file and print one line."""
    options = _options()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with running_emulator(
        port=options.port, control_port=options.control_port, max_outstanding=options.max_outstanding
    ) as emulator:
        if options.ready_file:
            _announce(emulator, options.ready_file)
        print(f"Pub/Sub at {emulator.host}, control at {emulator.control_url}", flush=True)
        stopping.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.pubsub", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="gRPC port (0: any free one)")
    parser.add_argument("--control-port", type=int, default=0, help="HTTP control port (0: any free one)")
    parser.add_argument("--ready-file", type=Path, help="where to write the ports once serving")
    parser.add_argument(
        "--max-outstanding", type=int, default=MAX_OUTSTANDING, help="pushes at once for each subscription"
    )
    return parser.parse_args()


def _announce(emulator: Emulator, ready_file: Path) -> None:
    """Write the file in one step, so that whoever waits for it never reads half of it."""
    ready = {"port": emulator.port, "control_port": emulator.control_port, "pid": os.getpid()}
    draft = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
    draft.write_text(json.dumps(ready))
    draft.replace(ready_file)


if __name__ == "__main__":
    main()
