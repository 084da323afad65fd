"""From process start to first answer: a staged bundle, beside a bare function with the same foundations."""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from infra.local.paths import CHECKOUT
from infra.local.services import Servers
from tests.performance.table import Figure, milliseconds, show

BARE = """
import functions_framework
import pg8000
import sqlalchemy.orm

engine = sqlalchemy.create_engine("postgresql+pg8000://nobody@127.0.0.1/none")

@functions_framework.http
def main(request):
    return {"data": {"status": "ok"}}
"""
FUNCTIONS = ("cart", "checkout", "on_event_notify")


def run(_: Servers, *, rounds: int = 9) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "bare")
        bare.mkdir()
        (bare / "main.py").write_text(BARE)
        staged = {
            name: _stage(name, Path(folder, name)) for name in FUNCTIONS if (CHECKOUT / "functions" / name).exists()
        }
        samples: dict[str, list[float]] = {name: [] for name in ("bare", *staged)}
        for n in range(rounds + 1):
            for name, place in {"bare": bare, **staged}.items():
                took = _first_answer(place)
                if n:  # The first start of each writes bytecode, which a deployed bundle has.
                    samples[name].append(took)
    floor = statistics.median(samples["bare"])
    show(
        "Cold start: process start to first answer of /health/live",
        [
            Figure(
                name,
                milliseconds(taken),
                milliseconds(samples["bare"]),
                f"{statistics.median(taken) / floor:.2f}",
                "≤ 1.3",
            )
            for name, taken in samples.items()
            if name != "bare"
        ],
    )


def _stage(name: str, out: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "infra.stage", name, "--out", str(out)], cwd=CHECKOUT, check=True, capture_output=True
    )
    return out


def _first_answer(place: Path) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "functions_framework", "--target", "main", "--source", "main.py", "--port", str(port)],
        cwd=place,
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.perf_counter() - started < 30:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/health/live")
                answer = connection.getresponse()
                assert answer.status == 200, answer.status
                return time.perf_counter() - started
            except OSError:
                time.sleep(0.002)
        raise TimeoutError(f"{place.name} did not answer")
    finally:
        process.terminate()
        process.wait(20)
