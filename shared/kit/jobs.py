"""A scheduled job: Cloud Scheduler POSTs to it, it runs once and answers what it did."""

import time
from collections.abc import Callable
from typing import Any

from shared.kit import clock, startup, stopping
from shared.kit.context import Work, accepted_request_id, accepted_traceparent, working
from shared.kit.logging import log, metric


class Job:
    """One scheduled function. The decorated function does the work and returns counts for the log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._run: Callable[[], dict[str, int]] | None = None

    def run(self, function: Callable[[], dict[str, int]]) -> Callable[[], dict[str, int]]:
        """Make `function` the job's work."""
        self._run = function
        return function

    def entry_point(self) -> Callable[[Any], Any]:
        """The target that functions-framework serves. Raises SettingMissing when a setting is not usable."""
        import functions_framework

        startup.finish()

        @functions_framework.http
        def main(request: Any) -> tuple[dict[str, Any], int]:
            return self._answer(request)

        main.job = self  # type: ignore[attr-defined]  # the local stack and the tests reach the job here
        return main

    def _answer(self, request: Any) -> tuple[dict[str, Any], int]:
        """Health routes answer as everywhere; any POST runs the job."""
        if request.path in ("/health/live", "/health/ready"):
            return {"data": {"status": "ok"}}, 200
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
                log.exception("job_failed", duration_ms=_since(started))
                metric("job_failed", job=self.name)
                raise
            log.info("job_finished", duration_ms=_since(started), sql_statements=this.sql_statements, **done)
            metric("job_succeeded", job=self.name, at=clock.now().isoformat())
            return {"data": done}, 200


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
