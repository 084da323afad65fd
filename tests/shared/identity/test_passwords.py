import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest
from pydantic import SecretStr

from infra.manifest import load_all
from shared.identity import passwords
from shared.identity.passwords import PasswordSettings
from shared.kit.errors import DependencyDown, InvalidRequest
from tests.patience import PATIENCE_S

GOOD = SecretStr("a dozen purple cacti")


@pytest.fixture
def configure(monkeypatch):
    """Set some of the settings, as environment variables do."""

    def set_(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"PF_{name.upper()}", str(value))
        PasswordSettings.forget()

    yield set_
    monkeypatch.undo()
    PasswordSettings.forget()


def test_the_default_cost_is_owasps_floor():
    fields = PasswordSettings.model_fields

    assert (
        fields["argon2_memory_kib"].default,
        fields["argon2_passes"].default,
        fields["argon2_lanes"].default,
    ) == (19_456, 2, 1)


def test_a_hash_is_argon2id_at_the_cost_of_the_settings(configure):
    configure(argon2_memory_kib=64, argon2_passes=3, argon2_lanes=2)

    kept = passwords.hash_of(GOOD)

    assert kept.startswith("$argon2id$v=19$m=64,t=3,p=2$")
    assert passwords.matches(kept, GOOD)
    assert not passwords.matches(kept, SecretStr("a dozen purple cactus"))


def test_the_same_password_is_kept_differently_each_time():
    assert passwords.hash_of(GOOD) != passwords.hash_of(GOOD)


def test_nobodys_password_is_never_right_and_costs_the_same(monkeypatch):
    worked_on = []
    verify = argon2.PasswordHasher.verify

    def noted(hasher, kept, password):
        worked_on.append(argon2.extract_parameters(kept))
        return verify(hasher, kept, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", noted)

    assert not passwords.matches(None, GOOD)
    assert not passwords.matches(passwords.hash_of(GOOD), SecretStr("a dozen purple cactus"))
    assert worked_on[0] == worked_on[1]


def test_what_is_no_hash_matches_nothing():
    assert not passwords.matches("plain text", GOOD)


def test_a_hash_is_outdated_when_the_cost_has_changed(configure):
    kept = passwords.hash_of(GOOD)

    assert not passwords.is_outdated(kept)
    configure(argon2_passes=2)
    assert passwords.is_outdated(kept)
    assert passwords.matches(kept, GOOD)


def test_a_password_is_the_same_however_a_keyboard_composes_it():
    kept = passwords.hash_of(SecretStr("caf\u00e9 au lait \u00e0 Paris"))

    assert passwords.matches(kept, SecretStr("cafe\u0301 au lait a\u0300 Paris"))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("eleven char", "Use 12 characters or more."),
        ("rosa.diaz@example.com", "Your email cannot be your password."),
        ("ROSA.diaz@EXAMPLE.com", "Your email cannot be your password."),
        ("passwordpassword", "This password is too common."),
        ("PasswordPassword", "This password is too common."),
        ("qwertyuiop123", "This password is too common."),
        ("123456789012", "This password is too common."),
        ("cannabis2026", "This password is too common."),
        ("aaaaaaaaaaaa", "This password is too common."),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(word, message):
    with pytest.raises(InvalidRequest) as refusal:
        passwords.refuse_weak(SecretStr(word), email="Rosa.Diaz@example.com", field="new_password")

    assert refusal.value.details == {"fields": [{"path": "new_password", "message": message}]}


@pytest.mark.parametrize("word", ["a dozen purple cacti", "twelve chars", "паролі не мають значення"])
def test_a_long_password_that_is_not_common_is_good(word):
    passwords.refuse_weak(SecretStr(word), email="rosa.diaz@example.com")


def test_the_list_holds_only_what_length_alone_would_let_through():
    common = passwords._common()

    assert len(common) > 1_000
    assert min(map(len, common)) == passwords.MIN_LENGTH
    assert all(word == word.casefold() for word in common)


def test_temporary_passwords_are_legible_and_never_the_same():
    words = {passwords.temporary().get_secret_value() for _ in range(100)}

    assert len(words) == 100
    for word in words:
        groups = word.split("-")
        assert [len(group) for group in groups] == [4] * 4
        assert set("".join(groups)) <= set("abcdefghjkmnpqrstuvwxyz23456789")
        passwords.refuse_weak(SecretStr(word), email="sam@example.com")


def test_no_more_hashes_are_worked_on_at_once_than_fit_into_memory(configure, monkeypatch):
    configure(argon2_concurrency=2)
    at_once, most, guard, two = 0, 0, threading.Lock(), threading.Barrier(2)
    make = argon2.PasswordHasher.hash

    def counted(hasher, password, **options):
        nonlocal at_once, most
        with guard:
            at_once += 1
            most = max(most, at_once)
        two.wait(PATIENCE_S)
        threading.Event().wait(0.005)  # for a third to be seen, if it were let in
        try:
            return make(hasher, password, **options)
        finally:
            with guard:
                at_once -= 1

    monkeypatch.setattr(argon2.PasswordHasher, "hash", counted)
    with ThreadPoolExecutor(6) as threads:
        kept = list(threads.map(lambda _: passwords.hash_of(GOOD), range(12)))

    assert (len(set(kept)), most) == (12, 2)


def test_those_who_come_first_at_once_share_the_turns(configure, monkeypatch):
    configure(argon2_concurrency=3)
    made, make = [], threading.BoundedSemaphore

    def made_slowly(value):
        made.append(value)
        threading.Event().wait(0.02)
        return make(value)

    monkeypatch.setattr(threading, "BoundedSemaphore", made_slowly)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: passwords.hash_of(GOOD), range(4)))

    assert made == [3]


GROWN_MIB = """
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from pydantic import SecretStr

from shared.identity import passwords

start = Barrier(8)


def sign_in(_):
    start.wait()
    passwords.matches(None, SecretStr("a dozen purple cacti"))


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


with ThreadPoolExecutor(8) as threads:
    before = resident()
    list(threads.map(sign_in, range(16)))
    print(resident() - before)
"""


def test_eight_who_sign_in_at_once_leave_no_hashs_memory_behind():
    settings = {"PF_ARGON2_MEMORY_KIB": "19456", "PF_ARGON2_PASSES": "1"}
    told = subprocess.run([sys.executable, "-c", GROWN_MIB], env=os.environ | settings, capture_output=True, check=True)

    assert float(told.stdout) < 19


@pytest.mark.parametrize("manifest", [manifest for manifest in load_all() if manifest.name in {"auth", "admin"}])
def test_the_hashes_at_once_fit_beside_what_a_function_may_need(manifest):
    fields = PasswordSettings.model_fields
    hashes_mib = fields["argon2_concurrency"].default * fields["argon2_memory_kib"].default / 1024

    assert hashes_mib + 160 <= manifest.run.memory_mb


def test_who_waits_too_long_is_turned_away(configure, monkeypatch):
    configure(argon2_concurrency=1, argon2_wait_s=0.01)
    busy, done = threading.Event(), threading.Event()
    make = argon2.PasswordHasher.hash

    def slow(hasher, password, **options):
        busy.set()
        done.wait(PATIENCE_S)
        return make(hasher, password, **options)

    monkeypatch.setattr(argon2.PasswordHasher, "hash", slow)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(passwords.hash_of, GOOD)
        busy.wait(PATIENCE_S)
        try:
            with pytest.raises(DependencyDown):
                passwords.matches(None, GOOD)
        finally:
            done.set()

    assert first.result().startswith("$argon2id$")
    assert not passwords.matches(None, GOOD)
