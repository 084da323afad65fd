"""Every function's folder is complete, and the map of them is true."""

from pathlib import Path

import pytest

from infra.functions_map import README, of_today
from infra.manifest import FUNCTIONS, load_all

FOLDERS = sorted(folder for folder in FUNCTIONS.iterdir() if folder.is_dir() and folder.name != "__pycache__")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_function_has_its_three_files(folder: Path) -> None:
    assert {"main.py", "function.toml", "requirements.txt"} <= {file.name for file in folder.iterdir()}


def test_functions_are_named_by_their_trigger() -> None:
    prefixes = {"topic": "on_", "storage": "on_", "schedule": "cron_"}

    misnamed = [
        manifest.name
        for manifest in load_all()
        if not manifest.name.startswith(prefixes.get(manifest.trigger.kind, ""))
        or (manifest.trigger.kind == "http" and manifest.name.startswith(("on_", "cron_")))
    ]

    assert misnamed == []


def test_the_map_is_not_stale() -> None:
    assert README.read_text() == of_today()
