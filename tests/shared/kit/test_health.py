"""Whether a function is ready: each thing it depends on is asked, in time, and once at a time."""

import gc
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from types import SimpleNamespace

import pytest

from shared.kit import db, health
from shared.kit.db import DatabaseSettings, check_database
from shared.kit.health import Health
from shared.kit.redis import check_redis
from tests.patience import PATIENCE_S

READY = "/health/ready"


def down() -> None:
    raise ConnectionError("a detail that nobody is told")


@pytest.fixture
def hanging() -> Iterator[tuple[list[int], threading.Event]]:
    """How often it was asked, and what ends its silence."""
    asked: list[int] = []
    end = threading.Event()
    yield asked, end
    end.set()


@pytest.fixture
def time_flies(monkeypatch) -> Callable[[int], None]:
    """Call it with how many answer: they have all the time they need, and then next to none is left for the others."""

    def after(answering: int) -> None:
        moments = chain.from_iterable(repeat([*[0.0] * (1 + answering), PATIENCE_S - 0.02]))
        monkeypatch.setattr(health, "LIMIT_S", PATIENCE_S)
        monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: next(moments)))

    return after


def test_what_answers_is_ok_and_the_function_ready(database):
    function = Health({"database": check_database, "redis": check_redis})

    assert function.answer(READY) == ({"status": "ok", "dependencies": {"database": "ok", "redis": "ok"}}, 200)


def test_a_function_lives_whatever_it_depends_on():
    assert Health({"redis": down}).answer("/health/live") == ({"status": "ok"}, 200)


def test_no_other_path_is_a_health_route():
    assert Health({}).answer("/health") is None


def test_what_does_not_answer_is_told_beside_what_does(capsys):
    told, status = Health({"redis": down, "storage": lambda: None}).answer(READY)

    assert (told, status) == ({"status": "down", "dependencies": {"redis": "down", "storage": "ok"}}, 503)
    said = capsys.readouterr().out
    assert '"error_type": "ConnectionError"' in said
    assert "a detail" not in said


def test_one_that_hangs_keeps_nobody_waiting_and_is_not_asked_again_meanwhile(hanging, time_flies):
    asked, end = hanging

    def hang() -> None:
        asked.append(1)
        end.wait(timeout=PATIENCE_S)

    time_flies(2)
    function = Health({"redis": down, "storage": lambda: None, "square": hang})
    answers = [function.answer(READY) for _ in range(3)]

    dependencies = {"redis": "down", "storage": "ok", "square": "slow"}
    assert answers == [({"status": "down", "dependencies": dependencies}, 503)] * 3
    assert not end.is_set()
    assert len(asked) == 1


def test_one_that_answers_again_is_ok_again(hanging):
    asked, end = hanging

    def hang() -> None:
        asked.append(1)
        end.wait(timeout=PATIENCE_S)

    slow, patient = Health({"square": hang}, limit_s=0.01), Health({"square": hang}, limit_s=PATIENCE_S)
    first = slow.answer(READY)
    end.set()
    again = patient.answer(READY)

    assert (first[1], again) == (503, ({"status": "ok", "dependencies": {"square": "ok"}}, 200))


@pytest.fixture
def silent_database(committed_database, monkeypatch) -> Iterator[None]:
    """A database that takes connections and never says a word."""
    server = socket.create_server(("127.0.0.1", 0))
    db.forget()
    monkeypatch.setenv("PF_DATABASE_URL", f"postgresql+pg8000://nobody@127.0.0.1:{server.getsockname()[1]}/none")
    DatabaseSettings.forget()
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # pg8000 leaves a socket open on which it never signed in
        server.close()
        for question in threading.enumerate():
            if question.name == "asks database":
                question.join(timeout=PATIENCE_S)
        gc.collect()
    db.forget()
    monkeypatch.undo()
    DatabaseSettings.forget()


def test_a_database_that_never_says_a_word_is_slow_and_redis_beside_it_ok(silent_database, time_flies):
    time_flies(1)

    told, status = Health({"redis": check_redis, "database": check_database}).answer(READY)

    assert (status, told["dependencies"]) == (503, {"redis": "ok", "database": "slow"})
