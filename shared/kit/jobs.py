"""A scheduled job: Cloud Scheduler POSTs to it, it runs once and answers what it did."""

import time
from collections.abc import Callable
from typing import Any

from shared.kit import startup, stopping
from shared.kit.context import Work, accepted_request_id, accepted_traceparent, working
from shared.kit.db import check_database
from shared.kit.health import Check, Health
from shared.kit.logging import log


class Job:
    """One scheduled function. The decorated function does the work and returns counts for the log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._run: Callable[[], dict[str, int]] | None = None

    def run(self, function: Callable[[], dict[str, int]]) -> Callable[[], dict[str, int]]:
        """Make `function` the job's work."""
        self._run = function
        return function

    def entry_point(self, **uses: Check) -> Callable[[Any], Any]:
        """The target that functions-framework serves, ready when the database and what else it `uses` answer.

        Raises SettingMissing when a setting is not usable.
        """
        import functions_framework

        startup.finish(self.name)
        health = Health({"database": check_database, **uses})

        @functions_framework.http
        def main(request: Any) -> tuple[dict[str, Any], int]:
            told = health.answer(request.path)
            return self._answer(request) if told is None else ({"data": told[0]}, told[1])

        main.health = health  # type: ignore[attr-defined]  # the architecture tests read what it depends on here
        main.job = self  # type: ignore[attr-defined]  # the local stack and the tests reach the job here
        return main

    def _answer(self, request: Any) -> tuple[dict[str, Any], int]:
        """Any POST runs the job."""
        if request.method != "POST":
            return {"error": {"code": "METHOD_NOT_ALLOWED", "message": "A job is started by POST."}}, 405
        stopping.listen()
        assert self._run is not None, f"{self.name} has no work"  # noqa: S101 - a programming error
        headers = request.headers
        this = Work(
            function=self.name,
            request_id=accepted_request_id(headers.get("X-Request-Id")),
            traceparent=accepted_traceparent(headers.get("traceparent")),
            action=self.name,
        )
        with working(this):
            started = time.perf_counter()
            log.info("job_started")
            try:
                done = self._run()
            except Exception:
                log.exception("job_failed")
                self._tell_run(started, "failed")
                raise
            self._tell_run(started, "succeeded", sql_statements=this.sql_statements, pool_use=this.pool_use, **done)
            return {"data": done}, 200

    def _tell_run(self, started: float, outcome: str, **done: float) -> None:
        took_ms = round((time.perf_counter() - started) * 1000, 1)
        told = {"metric": "job_run", "value": took_ms, "job": self.name, "outcome": outcome}
        log.info("job_finished", **told, duration_ms=took_ms, **done)
