"""A staged bundle with nothing else present: only what it declares can be imported, as after its deployment."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import distribution
from pathlib import Path

from infra.local.processes import free_port
from infra.requirements import closure, declared_in
from tests.patience import PATIENCE_S


def link_distributions(requirements: Path, site: Path) -> None:
    """Make `site` hold what these requirements need and nothing else, as links to the installed files."""
    for name in closure(declared_in(requirements)):
        installed = distribution(name)
        for file in installed.files or ():
            if ".." in file.parts:
                continue
            link = site / file
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(str(installed.locate_file(file))))


@contextmanager
def served(bundle: Path, site: Path) -> Iterator[http.client.HTTPConnection]:
    """functions-framework serving `main` of a bundle with only `site` to import from; yields once it accepts."""
    port = free_port()
    only = f"import sys; sys.path[:0] = [{str(bundle)!r}, {str(site)!r}]"
    start = f"{only}; from functions_framework._cli import _cli; _cli()"
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", start, "--target", "main", "--source", "main.py", "--port", str(port)],
        cwd=bundle,
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with closing(_connected(port, process)) as connection:
            yield connection
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def _connected(port: int, process: "subprocess.Popen[str]") -> http.client.HTTPConnection:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            assert process.stderr is not None
            raise RuntimeError(f"the bundle did not start: {process.stderr.read()[-2000:]}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            connection.connect()
        except OSError:
            time.sleep(0.002)
        else:
            return connection
    raise TimeoutError("the bundle did not accept a connection in time")
