"""A staged bundle with nothing else present: only what it declares can be imported, as after its deployment."""

import http.client
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from importlib.metadata import distribution, distributions
from pathlib import Path, PurePath

from infra.local.processes import free_port
from infra.requirements import closure, declared_in
from tests.patience import PATIENCE_S


def link_distributions(requirements: Path, site: Path) -> None:
    """Make `site` hold what these requirements need and nothing else, as links to what is installed."""
    site.mkdir()
    shared = _shared_folders()
    for name in closure(declared_in(requirements)):
        installed = distribution(name)
        files = [file for file in installed.files or () if ".." not in file.parts]
        for part in {_without_neighbours(file, shared) for file in files}:
            link = site / part
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(str(installed.locate_file(part))))


def _without_neighbours(file: PurePath, shared: frozenset[PurePath]) -> PurePath:
    """The outermost folder of a file that its distribution has to itself; the file, where there is none."""
    outwards = reversed([folder for folder in file.parents if folder.parts])
    return next((folder for folder in outwards if folder not in shared), file)


@cache
def _shared_folders() -> frozenset[PurePath]:
    """Those in which more than one distribution has files, such as `google`."""
    owners: dict[PurePath, set[str]] = defaultdict(set)
    for installed in distributions():
        name = installed.name
        for folder in {folder for file in installed.files or () for folder in file.parents}:
            owners[folder].add(name)
    return frozenset(folder for folder, names in owners.items() if len(names) > 1)


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
