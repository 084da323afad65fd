"""What the functions of the local stack are told, and the annotated example of it."""

import re
import stat
from importlib import import_module
from pathlib import Path

from infra.local.environment import Endpoints, functions_environment, keep_secrets
from infra.local.paths import CHECKOUT
from infra.local.services import Servers
from infra.manifest import load_all
from shared.kit.config import Settings

SERVERS = Servers("postgresql+pg8000://packfinderz@127.0.0.1:20001/packfinderz", "redis://127.0.0.1:20002/0")
ENDPOINTS = Endpoints(
    "127.0.0.1:1",
    "http://127.0.0.1:2",
    "http://127.0.0.1:3",
    "/key.json",
    "http://127.0.0.1:4",
    "http://127.0.0.1:5",
    "http://127.0.0.1:6",
)

# Read by tools and clients, or standing for many, and so in no group of settings.
OTHERS = {
    *("PF_LIMIT_DEFAULT", "PF_PORT", "PF_LOCAL_HOME", "PF_PUSH_ENDPOINT", "PF_PUSH_SERVICE_ACCOUNT"),
    *("PF_ALERT_EMAIL", "PF_REPOSITORY_URL"),
    *("PUBSUB_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"),
}


def settings_of_the_functions() -> set[str]:
    for manifest in load_all():
        import_module(f"functions.{manifest.name}.main")
    ours = [group for group in Settings.known if group.__module__.startswith(("shared.", "functions."))]
    return {variable for group in ours for variable in group.variables()}


def test_the_example_names_every_setting_and_nothing_else():
    example = (CHECKOUT / "infra/env.example").read_text()

    named = re.findall(r"^([A-Z0-9_]+)=", example, re.MULTILINE)

    assert sorted(named) == sorted(set(named))
    known = settings_of_the_functions() | OTHERS
    assert known - set(named) == set(), "infra/env.example lacks these"
    assert set(named) - known == set(), "infra/env.example names what nobody reads"


def test_the_stack_tells_the_functions_all_that_they_cannot_do_without():
    functions = settings_of_the_functions()
    kept = {name: "x" * 48 for manifest in load_all() for name in manifest.needs.secrets}
    required = {
        f"PF_{name.upper()}"
        for group in Settings.known
        for name, field in group.model_fields.items()
        if field.is_required()
    }

    told = functions_environment(SERVERS, ENDPOINTS, kept)

    assert (required & functions) - set(told) == set()


def test_what_we_are_told_ourselves_goes_before_what_the_stack_makes_up(monkeypatch):
    monkeypatch.setenv("PF_MEDIA_BUCKET", "mine")

    told = functions_environment(SERVERS, ENDPOINTS, {})

    assert told["PF_MEDIA_BUCKET"] == "mine"
    assert told["PUBSUB_EMULATOR_HOST"] == "127.0.0.1:1"


def test_secrets_are_made_once_each_and_are_nobody_elses_to_read(tmp_path: Path):
    file = tmp_path / "deep" / "secrets.json"

    first = keep_secrets(file, ["PF_JWT_KEYS", "PF_CURSOR_KEY"])
    again = keep_secrets(file, ["PF_JWT_KEYS", "PF_CURSOR_KEY", "PF_SQUARE_ACCESS_TOKEN"])

    assert keep_secrets(file, ["PF_MAPS_API_KEY"])["PF_MAPS_API_KEY"].startswith("AIza")
    assert first["PF_JWT_KEYS"].startswith("local-1:")
    assert len(first["PF_JWT_KEYS"].partition(":")[2]) >= 32
    assert len(first["PF_CURSOR_KEY"]) >= 32
    assert {name: again[name] for name in first} == first
    assert set(again) == {"PF_JWT_KEYS", "PF_CURSOR_KEY", "PF_SQUARE_ACCESS_TOKEN"}
    assert len(set(again.values())) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
