"""Google's refusals: an HTTP status of 200 for nearly everything, and a word in the body that says what is wrong.

Words: developers.google.com/maps/documentation/places/web-service/details#PlacesDetailsStatus
"""

import json
from typing import Any


class MapsError(Exception):
    """Anything but an answer: an HTTP status and a body."""

    def __init__(self, http_status: int, body: str) -> None:
        super().__init__(body)
        self.http_status = http_status
        self.body = body


def refusal(status: str, message: str) -> MapsError:
    """A refusal by its word."""
    return MapsError(200, json.dumps({"status": status, "error_message": message}))


def invalid(message: str) -> MapsError:
    return refusal("INVALID_REQUEST", message)


def denied(message: str) -> MapsError:
    return refusal("REQUEST_DENIED", message)


def ordered(fail: dict[str, Any]) -> MapsError:
    """What somebody wants to see: `{"status": "OVER_QUERY_LIMIT"}`, `{"http": 503}`, or `{"text": "<html>"}`."""
    if "text" in fail:
        return MapsError(int(fail.get("http", 200)), str(fail["text"]))
    told = {"status": fail.get("status", "UNKNOWN_ERROR"), "error_message": "Told to fail."}
    return MapsError(int(fail.get("http", 200)), json.dumps(told))
