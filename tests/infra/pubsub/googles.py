"""Google's own Pub/Sub emulator, where somebody installed it or runs it."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.processes import free_port, wait_until
from tests.patience import PATIENCE_S

_NAMED = os.environ.get("PUBSUB_CONTRACT_HOST", "")
# Where gcloud keeps this component, beside its own program.
_COMPONENT = "platform/pubsub-emulator/bin/cloud-pubsub-emulator"


def is_there() -> bool:
    """Whether there is one to test against: named, or installed with the Java that it needs."""
    return bool(_NAMED) or (_program() is not None and shutil.which("java") is not None)


@contextmanager
def running() -> Iterator[str]:
    """The address of the named one, or of one that is started for the length of the block."""
    program = _program()
    if _NAMED or program is None:
        yield _NAMED
        return
    port = free_port()
    process = subprocess.Popen(
        [str(program), "--host=127.0.0.1", f"--port={port}"],
        env=os.environ | {"JAVA_OPTS": "-Xmx256m"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: _listens(port), timeout_s=PATIENCE_S), "Google's emulator does not start"
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def _program() -> Path | None:
    gcloud = shutil.which("gcloud")
    program = gcloud and Path(gcloud).resolve().parents[1] / _COMPONENT
    return program if program and program.exists() else None


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
