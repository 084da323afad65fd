from collections.abc import Callable
from typing import Any

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

Fire = Callable[[], dict[str, int]]


@pytest.fixture
def fire() -> Fire:
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.cron_license_lifecycle.main import main

    def run() -> dict[str, int]:
        answer: tuple[dict[str, Any], int] = main(Request(EnvironBuilder(method="POST").get_environ()))
        body, status = answer
        assert status == 200
        counts: dict[str, int] = body["data"]
        return counts

    return run
