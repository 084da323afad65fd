"""Settings: typed, read once, and a missing one is a sentence that names it."""

import pytest
from pydantic import Field

from shared.kit.config import SettingMissing, Settings
from shared.kit.tokens import parse_keys


@pytest.fixture
def group():
    class ProbeSettings(Settings):
        probe_name: str
        probe_size: int = Field(default=4, gt=0)

    yield ProbeSettings
    Settings.known.remove(ProbeSettings)


def test_values_come_from_the_environment_and_defaults(group, monkeypatch):
    monkeypatch.setenv("PF_PROBE_NAME", "ada")

    assert (group.current().probe_name, group.current().probe_size) == ("ada", 4)
    assert group.variables() == ("PF_PROBE_NAME", "PF_PROBE_SIZE")


def test_they_are_read_once(group, monkeypatch):
    monkeypatch.setenv("PF_PROBE_NAME", "ada")
    group.current()
    monkeypatch.setenv("PF_PROBE_NAME", "bea")

    assert group.current().probe_name == "ada"
    group.forget()
    assert group.current().probe_name == "bea"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "Setting PF_PROBE_NAME is not usable: field required."),
        ({"PF_PROBE_NAME": ""}, "Setting PF_PROBE_NAME is not usable: field required."),
        (
            {"PF_PROBE_NAME": "ada", "PF_PROBE_SIZE": "many"},
            "Setting PF_PROBE_SIZE is not usable: input should be a valid integer, "
            "unable to parse string as an integer.",
        ),
        (
            {"PF_PROBE_NAME": "ada", "PF_PROBE_SIZE": "0"},
            "Setting PF_PROBE_SIZE is not usable: input should be greater than 0.",
        ),
    ],
)
def test_what_is_missing_or_malformed_stops_with_one_sentence(group, monkeypatch, environment, sentence):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingMissing) as stopped:
        group.current()

    assert str(stopped.value) == sentence
    assert isinstance(stopped.value, SystemExit)


GOOD = f"a:{'x' * 40}"


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "a",
        "a:short",
        "a:" + "x" * 31,
        f"{GOOD},b:short",
        f"{GOOD},{'y' * 40}",
        f"{GOOD},:{'y' * 40}",
        f"{GOOD},{GOOD}",
    ],
)
def test_weak_signing_keys_are_refused(odd):
    with pytest.raises(ValueError, match="32 characters"):
        parse_keys(odd)


def test_the_first_key_signs():
    assert list(parse_keys(f"new:{'n' * 32}, old:{'o' * 32}")) == ["new", "old"]
