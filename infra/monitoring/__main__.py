"""Writes what is watched as files for Cloud Monitoring: `python -m infra.monitoring [--check]`."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.local.paths import CHECKOUT
from infra.manifest import Manifest, load_all
from infra.monitoring.alerts import all_alerts
from infra.monitoring.dashboards import DASHBOARDS
from infra.monitoring.log_metrics import LOG_METRICS, Json

FOLDER = CHECKOUT / "infra" / "monitoring"


def wanted(manifests: list[Manifest]) -> dict[str, Json]:
    """Every file by its path in the folder, and what it holds."""
    return {
        **{f"log_metrics/{each['name']}.json": each for several in LOG_METRICS.values() for each in several},
        **{f"alerts/{alert.key}.json": alert.policy() for alert in all_alerts(manifests)},
        **{f"dashboards/{dashboard.key}.json": dashboard.layout() for dashboard in DASHBOARDS},
    }


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.monitoring", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    check: bool = parser.parse_args(arguments).check
    stale = _stale(folder, wanted(load_all()))
    if check and stale:
        print(f"infra/monitoring is stale ({', '.join(sorted(stale))}); run `make monitoring`.", file=sys.stderr)
        return 1
    if not check:
        _write(folder, stale)
        print(f"{len(stale)} files of infra/monitoring changed.")
    return 0


def _stale(folder: Path, files: Mapping[str, Json]) -> dict[str, str | None]:
    """The files that are not as they should be, with what they should hold; None for one that should not be."""
    texts = {path: json.dumps(told, indent=2) + "\n" for path, told in files.items()}
    there = {str(file.relative_to(folder)): file.read_text() for file in folder.glob("*/*.json")}
    return {path: texts.get(path) for path in texts.keys() | there.keys() if texts.get(path) != there.get(path)}


def _write(folder: Path, stale: Mapping[str, str | None]) -> None:
    for path, text in stale.items():
        if text is None:
            (folder / path).unlink()
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)


if __name__ == "__main__":
    sys.exit(main())
