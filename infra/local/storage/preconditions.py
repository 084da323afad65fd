"""What a request says about the object it means, which the emulator itself does not look at."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from infra.local.storage.access import is_json_api, object_at
from infra.local.storage.objects import Objects, Resource
from infra.local.storage.refusals import Refused

_JSON_OBJECT = re.compile(r"/(?:download/)?storage/v1/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)")
_FROM = re.compile(r"bytes=(\d+)-\d*")


def refuse_unmet(objects: Objects, method: str, target: str, headers: Mapping[str, str]) -> None:
    """Raises Refused when the object is not there, is of another generation, or is shorter than the range."""
    parts = urlsplit(target)
    meant = _json_object(parts.path) if is_json_api(parts.path) else object_at(parts.path)
    if meant is None:
        return
    held = objects.find_resource(*meant)
    if not is_json_api(parts.path):
        _refuse_missing(objects, method, meant[0], held)
    _refuse_generation(parse_qs(parts.query), held)
    if method == "GET" and held is not None:
        _refuse_range(headers.get("range"), int(held["size"]))


def _json_object(path: str) -> tuple[str, str] | None:
    """Bucket and object of a JSON API path; in it, an object's name is one escaped step."""
    match = _JSON_OBJECT.fullmatch(path)
    return (unquote(match["bucket"]), unquote(match["name"])) if match else None


def _refuse_missing(objects: Objects, method: str, bucket: str, held: Resource | None) -> None:
    if bucket not in objects.buckets:
        raise Refused(HTTPStatus.NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist.")
    if method == "GET" and held is None:
        raise Refused(HTTPStatus.NOT_FOUND, "NoSuchKey", "The specified key does not exist.")


def _refuse_generation(query: Mapping[str, list[str]], held: Resource | None) -> None:
    """`ifGenerationMatch` 0 means that there must be none; buckets without versions know only the live one."""
    live = str(held["generation"]) if held is not None else "0"
    if query.get("generation", [live])[0] != live:
        raise Refused(HTTPStatus.NOT_FOUND, "NoSuchKey", "No such object of this generation.")
    if query.get("ifGenerationMatch", [live])[0] != live:
        raise Refused(
            HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", "At least one of the pre-conditions did not hold."
        )


def _refuse_range(told: str | None, size_bytes: int) -> None:
    match = _FROM.fullmatch(told.strip()) if told else None
    if match and int(match[1]) >= size_bytes:
        raise Refused(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange", "The requested range cannot be satisfied."
        )
