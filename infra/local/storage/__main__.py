"""`python -m infra.local.storage`: the local Cloud Storage as a process, until SIGTERM or SIGINT."""

import argparse
import json
import os
import signal
import threading
from pathlib import Path

from infra.local.storage.credentials import KEY_FILE
from infra.local.storage.server import LocalStorage, running_storage


def main() -> None:
    """Serve; once ready, write {"port", "url", "key_file", "pid"} to the ready file and print one line."""
    options = _options()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with running_storage(
        port=options.port,
        data=options.data,
        key_file=options.key_file,
        buckets=[*options.bucket, *dict(options.finalize)],
        public_buckets=options.public,
        finalize=dict(options.finalize),
        origins=options.origin or ["*"],
    ) as storage:
        if options.ready_file:
            _announce(storage, options.ready_file)
        print(f"Cloud Storage at {storage.url}, signing key in {storage.key_file}", flush=True)
        stopping.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.storage", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="HTTP port (0: any free one)")
    parser.add_argument("--ready-file", type=Path, help="where to write the port once serving")
    parser.add_argument("--data", type=Path, help="where to keep the objects (default: in memory)")
    parser.add_argument("--key-file", type=Path, default=KEY_FILE, help="the service account whose signatures count")
    parser.add_argument("--bucket", action="append", default=[], metavar="NAME", help="a bucket to make")
    parser.add_argument("--public", action="append", default=[], metavar="NAME", help="a bucket anybody may read")
    parser.add_argument(
        "--finalize", action="append", default=[], type=_endpoint, metavar="BUCKET=URL", help="who is told of objects"
    )
    parser.add_argument("--origin", action="append", default=[], metavar="ORIGIN", help="pages that may (default: any)")
    return parser.parse_args()


def _endpoint(told: str) -> tuple[str, str]:
    bucket, separator, url = told.partition("=")
    if not (bucket and separator and url.startswith("http")):
        raise argparse.ArgumentTypeError(f"{told!r} is not BUCKET=URL")
    return bucket, url


def _announce(storage: LocalStorage, ready_file: Path) -> None:
    """Write the file in one step, so that whoever waits for it never reads half of it."""
    ready = {"port": storage.port, "url": storage.url, "key_file": str(storage.key_file), "pid": os.getpid()}
    draft = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
    draft.write_text(json.dumps(ready))
    draft.replace(ready_file)


if __name__ == "__main__":
    main()
