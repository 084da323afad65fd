"""The local Cloud Scheduler: when it posts, what it sends, and how it copes with slow and absent functions."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest

from infra.local.clock import Clock, JobUnreachable, NoSuchJob, Schedule
from infra.local.processes import free_port, wait_until
from shared.kit.clock import now
from tests.infra.endpoint import Endpoint, Received, serving
from tests.patience import PATIENCE_S

NOON = datetime(2026, 3, 7, 12, tzinfo=UTC)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as endpoint:
        yield endpoint


def a_schedule(endpoint: Endpoint, cron: str = "* * * * *", name: str = "cron_order_ttl") -> Schedule:
    return Schedule(name, cron, "America/Chicago", f"{endpoint.url}/{name}")


class Time:
    """A wall clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = NOON
        self.look_count = 0

    def __call__(self) -> datetime:
        self.look_count += 1
        return self.moment

    def move_to(self, hhmmss: str) -> None:
        """Go to this time of the same day, in UTC."""
        self.moment = datetime.combine(NOON.date(), time.fromisoformat(hhmmss), UTC)


@contextmanager
def running(*schedules: Schedule) -> Iterator[Time]:
    """A clock at work, from noon on; every schedule is waiting when the block begins."""
    wall, stop = Time(), threading.Event()
    clock = Clock(schedules, now=wall, look_every_s=0.01)
    thread = threading.Thread(target=clock.run_forever, args=(stop,))
    thread.start()
    try:
        assert wait_until(lambda: wall.look_count >= 2 * len(schedules), timeout_s=PATIENCE_S)
        yield wall
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def due_times(requests: list[Received]) -> list[str]:
    return [request.headers["x-cloudscheduler-scheduletime"] for request in requests]


def test_a_job_is_posted_to_when_it_is_due(endpoint: Endpoint) -> None:
    with running(a_schedule(endpoint), a_schedule(endpoint, "0 3 * * *", "cron_retention")) as wall:
        wall.move_to("12:00:59")
        seen = wall.look_count
        assert wait_until(lambda: wall.look_count >= seen + 4, timeout_s=PATIENCE_S)
        before = list(endpoint.requests)
        wall.move_to("12:01:00")
        [request] = endpoint.wait_for(1)

    assert before == []
    assert (request.method, request.path, request.body) == ("POST", "/cron_order_ttl", b"")
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.headers["x-cloudscheduler"] == "true"
    assert request.headers["x-cloudscheduler-jobname"] == "cron_order_ttl"
    assert due_times([request]) == ["2026-03-07T12:01:00+00:00"]


def test_a_job_is_due_again_and_again(endpoint: Endpoint) -> None:
    with running(a_schedule(endpoint)) as wall:
        for count in (1, 2, 3):
            wall.move_to(f"12:0{count}:00")
            requests = endpoint.wait_for(count)

    assert due_times(requests) == [
        "2026-03-07T12:01:00+00:00",
        "2026-03-07T12:02:00+00:00",
        "2026-03-07T12:03:00+00:00",
    ]


def test_runs_missed_while_a_job_was_busy_become_one(endpoint: Endpoint) -> None:
    endpoint.gate.clear()

    with running(a_schedule(endpoint)) as wall:
        wall.move_to("12:01:00")
        endpoint.wait_for(1)
        wall.move_to("12:04:30")
        endpoint.gate.set()
        endpoint.wait_for(2)
        wall.move_to("12:05:00")
        requests = endpoint.wait_for(3)

    assert due_times(requests) == [
        "2026-03-07T12:01:00+00:00",
        "2026-03-07T12:04:00+00:00",
        "2026-03-07T12:05:00+00:00",
    ]
    assert endpoint.most_at_once == 1


def test_a_busy_job_does_not_keep_the_others(endpoint: Endpoint) -> None:
    endpoint.gate.clear()

    with running(a_schedule(endpoint, name="cron_publish_outbox"), a_schedule(endpoint)) as wall:
        wall.move_to("12:01:00")
        requests = endpoint.wait_for(2)
        endpoint.gate.set()

    assert sorted(request.path for request in requests) == ["/cron_order_ttl", "/cron_publish_outbox"]


def test_the_real_clock_is_met(endpoint: Endpoint) -> None:
    every_second = a_schedule(endpoint, "* * * * * *")
    stop = threading.Event()
    thread = threading.Thread(target=Clock([every_second]).run_forever, args=(stop,))
    before = now()

    thread.start()
    [request, *_] = endpoint.wait_for(1)
    arrived = now()
    stop.set()
    thread.join(PATIENCE_S)

    assert before < datetime.fromisoformat(due_times([request])[0]) <= arrived


class Hurry(threading.Event):
    """Told to wait, it notes for how long and moves the wall clock on by as much; stops after so many waits."""

    def __init__(self, wall: Time, *, waits: int) -> None:
        super().__init__()
        self.waited_s: list[float] = []
        self._wall, self._waits = wall, waits

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waited_s.append(timeout)
        self._wall.moment += timedelta(seconds=timeout)
        return len(self.waited_s) == self._waits


def test_nobody_waits_longer_than_a_second_nor_than_until_the_job_is_due(endpoint: Endpoint) -> None:
    wall = Time()
    wall.move_to("12:00:57.700000")
    stop = Hurry(wall, waits=4)

    Clock([], now=wall)._keep(a_schedule(endpoint), stop)

    assert stop.waited_s == pytest.approx([1, 1, 0.3, 1])
    assert due_times(endpoint.requests) == ["2026-03-07T12:01:00+00:00"]


def test_a_job_fired_by_hand_answers_its_status(endpoint: Endpoint) -> None:
    endpoint.statuses = [200, 503]
    clock = Clock([a_schedule(endpoint)])

    assert [clock.fire("cron_order_ttl"), clock.fire("cron_order_ttl")] == [200, 503]

    assert [request.path for request in endpoint.requests] == ["/cron_order_ttl"] * 2


def test_a_job_fired_by_hand_runs_beside_itself(endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    clock = Clock([a_schedule(endpoint)])
    runs = [threading.Thread(target=clock.fire, args=("cron_order_ttl",)) for _ in range(2)]

    for run in runs:
        run.start()
    endpoint.wait_for(2)
    endpoint.gate.set()
    for run in runs:
        run.join(PATIENCE_S)

    assert endpoint.most_at_once == 2


def test_an_unknown_job_cannot_be_fired(endpoint: Endpoint) -> None:
    with pytest.raises(NoSuchJob, match="cron_unheard_of"):
        Clock([a_schedule(endpoint)]).fire("cron_unheard_of")

    assert endpoint.requests == []


def test_a_function_that_is_down_is_unreachable(nobody_listening: str) -> None:
    with pytest.raises(JobUnreachable, match=f"cron_order_ttl does not answer at {nobody_listening}"):
        Clock([Schedule("cron_order_ttl", "* * * * *", "UTC", nobody_listening)]).fire("cron_order_ttl")


def test_an_attempt_ends_at_its_deadline(endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    clock = Clock([a_schedule(endpoint)], attempt_deadline_s=0.1)

    with pytest.raises(JobUnreachable):
        clock.fire("cron_order_ttl")

    assert len(endpoint.wait_for(1)) == 1


def test_a_failed_run_is_reported_and_followed_by_the_next(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.statuses = [500]

    with caplog.at_level(logging.INFO, "infra.local.clock"), running(a_schedule(endpoint)) as wall:
        wall.move_to("12:01:00")
        assert wait_until(lambda: len(caplog.records) == 1, timeout_s=PATIENCE_S)
        wall.move_to("12:02:00")
        assert wait_until(lambda: len(caplog.records) == 2, timeout_s=PATIENCE_S)

    assert caplog.record_tuples == [
        ("infra.local.clock", logging.WARNING, "cron_order_ttl answered 500"),
        ("infra.local.clock", logging.INFO, "cron_order_ttl answered 204"),
    ]


def test_a_function_that_is_down_does_not_stop_its_schedule(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    schedule = Schedule("cron_order_ttl", "* * * * *", "UTC", f"http://127.0.0.1:{port}/")

    with caplog.at_level(logging.INFO, "infra.local.clock"), running(schedule) as wall:
        wall.move_to("12:01:00")
        assert wait_until(lambda: len(caplog.records) == 1, timeout_s=PATIENCE_S)
        with serving(port) as late:
            wall.move_to("12:02:00")
            requests = late.wait_for(1)

    assert caplog.messages[0].startswith(f"cron_order_ttl does not answer at http://127.0.0.1:{port}/: ")
    assert due_times(requests) == ["2026-03-07T12:02:00+00:00"]


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-03-07T09:00:00+00:00", "2026-03-08T03:00:00-05:00"),
        ("2026-03-08T08:00:00+00:00", "2026-03-09T03:00:00-05:00"),
        ("2026-10-31T08:00:00+00:00", "2026-11-01T03:00:00-06:00"),
    ],
)
def test_a_schedule_follows_its_own_zone_through_the_year(endpoint: Endpoint, after: str, due: str) -> None:
    schedule = a_schedule(endpoint, "0 3 * * *")

    assert schedule.next_after(datetime.fromisoformat(after)).isoformat() == due


def test_a_schedule_that_makes_no_sense_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="every now and then"):
        Schedule("cron_order_ttl", "every now and then", "UTC", "http://127.0.0.1/")
    with pytest.raises(ZoneInfoNotFoundError):
        Schedule("cron_order_ttl", "* * * * *", "America/Nowhere", "http://127.0.0.1/")
