"""The lines that a person sees while the stack runs."""

import json

import pytest

from infra.local.activity import line_of

AT = {"time": "2026-07-06T15:00:07.123Z", "function": "checkout", "request_id": "r-1"}


def said(**fields: object) -> str:
    return json.dumps(AT | fields)


def test_a_request_shows_what_came_of_it_and_what_it_cost():
    line = said(message="request", severity="INFO", method="POST", route="/api/v1/checkout", status=409,
                error_code="CONFLICT", duration_ms=42.4, sql_statements=6)  # fmt: skip

    assert line_of(line) == "  15:00:07  409  POST /api/v1/checkout CONFLICT  42 ms, 6 statements"


def test_trouble_shows_where_and_under_which_request():
    line = said(message="request_failed", severity="ERROR", error_type="KeyError", stack=["a:1"])

    assert line_of(line) == "  15:00:07  request_failed  checkout  error_type KeyError, request_id r-1"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (said(message="publish", severity="INFO", outcome="published"), None),
        ("", None),
        ('{"message": "request", broken', None),
        ("Worker failed to boot.", "Worker failed to boot."),
    ],
)
def test_the_rest_stays_in_the_log_file_unless_it_is_plain_words(line, shown):
    assert line_of(line) == shown
