"""Start a scheduled function as Cloud Scheduler would."""

from typing import Any

from flask import Request
from werkzeug.test import EnvironBuilder


def fire_job(main: Any) -> dict[str, int]:
    """What the job answers that it did."""
    body, status = main(Request(EnvironBuilder(method="POST", path="/").get_environ()))
    assert status == 200
    done: dict[str, int] = body["data"]
    return done
