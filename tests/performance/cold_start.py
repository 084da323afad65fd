"""From process start to first answer: a staged bundle, beside a bare function with the same foundations."""

import statistics
import tempfile
import time
from pathlib import Path

from infra.local.paths import CHECKOUT
from infra.local.services import Servers
from infra.stage import stage
from tests.bundles import link_distributions, served
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
FUNCTIONS = ("cart", "checkout")


def run(_: Servers, *, rounds: int = 9) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"bare": _bare(Path(folder))} | {name: _bundle(name, Path(folder)) for name in FUNCTIONS}
        samples: dict[str, list[float]] = {name: [] for name in places}
        for n in range(rounds + 1):
            for name, place in places.items():
                took = _first_answer(*place)
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


def _bare(folder: Path) -> tuple[Path, Path]:
    bundle, site = folder / "bare", folder / "bare-site"
    bundle.mkdir()
    (bundle / "main.py").write_text(BARE)
    (bundle / "requirements.txt").write_text("functions-framework\nsqlalchemy\npg8000\n")
    link_distributions(bundle / "requirements.txt", site)
    return bundle, site


def _bundle(name: str, folder: Path) -> tuple[Path, Path]:
    site = folder / f"{name}-site"
    link_distributions(CHECKOUT / "functions" / name / "requirements.txt", site)
    return stage(name, folder / name), site


def _first_answer(bundle: Path, site: Path) -> float:
    started = time.perf_counter()
    with served(bundle, site) as connection:
        connection.request("GET", "/health/live")
        assert connection.getresponse().status == 200
        return time.perf_counter() - started
