"""The local Cloud Scheduler: posts to functions when their schedules say so, or when told to.

Like the service: a scheduled run waits for the one before it to end, several that were missed become one, a failed
attempt is not repeated before the next is due, and a job fired by hand runs even while it is already running.
https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs
"""

import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter

from shared.kit import clock

log = logging.getLogger(__name__)

# Cloud Scheduler's default for HTTP targets.
ATTEMPT_DEADLINE_S = 180.0

# The wall clock jumps when a machine wakes up, so nobody sleeps longer than this without looking at it.
LOOK_EVERY_S = 1.0


class JobUnreachable(RuntimeError):
    """Nothing answered at the job's address within the attempt deadline."""


class NoSuchJob(LookupError):
    """No schedule has this name."""


@dataclass(frozen=True)
class Schedule:
    """A job: `cron` is read in `time_zone` (an IANA name); `url` receives an empty POST.

    Raises ValueError for an expression that is not cron, ZoneInfoNotFoundError for an unknown zone.
    """

    name: str
    cron: str
    time_zone: str
    url: str

    def __post_init__(self) -> None:
        ZoneInfo(self.time_zone)
        if not croniter.is_valid(self.cron):
            raise ValueError(f"{self.name}: {self.cron!r} is not a cron expression")

    def next_after(self, moment: datetime) -> datetime:
        """The first time it is due after `moment`."""
        due: datetime = self._cron_at(moment).get_next(datetime)
        return due

    def last_before(self, moment: datetime) -> datetime:
        """The last time it was due before `moment`."""
        due: datetime = self._cron_at(moment).get_prev(datetime)
        return due

    def _cron_at(self, moment: datetime) -> croniter:
        return croniter(self.cron, moment.astimezone(ZoneInfo(self.time_zone)))


class Clock:
    """Runs schedules, each in a thread of its own. `now` is the wall clock."""

    def __init__(
        self,
        schedules: Iterable[Schedule],
        *,
        now: Callable[[], datetime] = clock.now,
        attempt_deadline_s: float = ATTEMPT_DEADLINE_S,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._schedules = {schedule.name: schedule for schedule in schedules}
        self._now = now
        self._attempt_deadline_s = attempt_deadline_s
        self._look_every_s = look_every_s

    def run_forever(self, stop: threading.Event) -> None:
        """Post what is due until `stop` is set; an attempt under way is then left to its function."""
        for schedule in self._schedules.values():
            threading.Thread(
                target=self._keep, args=(schedule, stop), name=f"schedule {schedule.name}", daemon=True
            ).start()
        stop.wait()

    def fire(self, name: str) -> int:
        """Run a job now; the status it answered. Raises NoSuchJob, JobUnreachable."""
        schedule = self._schedules.get(name)
        if schedule is None:
            raise NoSuchJob(name)
        return self._post(schedule, self._now())

    def _keep(self, schedule: Schedule, stop: threading.Event) -> None:
        due = schedule.next_after(self._now())
        while self._wait_until(due, stop):
            self._attempt(schedule, due)
            due = max(schedule.next_after(due), schedule.last_before(self._now()))

    def _wait_until(self, due: datetime, stop: threading.Event) -> bool:
        while (left_s := (due - self._now()).total_seconds()) > 0:
            if stop.wait(min(left_s, self._look_every_s)):
                return False
        return not stop.is_set()

    def _attempt(self, schedule: Schedule, due: datetime) -> None:
        try:
            status = self._post(schedule, due)
        except JobUnreachable as error:
            log.warning("%s", error)
        else:
            log.log(logging.INFO if status < 400 else logging.WARNING, "%s answered %d", schedule.name, status)

    def _post(self, schedule: Schedule, due: datetime) -> int:
        headers = {
            "Content-Type": "application/octet-stream",
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": schedule.name,
            "X-CloudScheduler-ScheduleTime": due.astimezone(ZoneInfo("UTC")).isoformat(timespec="seconds"),
        }
        request = urllib.request.Request(schedule.url, data=b"", headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self._attempt_deadline_s) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code
        except OSError as error:
            raise JobUnreachable(f"{schedule.name} does not answer at {schedule.url}: {error}") from error
