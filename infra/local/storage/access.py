"""Who may do what: the JSON API is ours, objects by their address need a signature or a public bucket."""

from collections.abc import Collection
from datetime import datetime
from http import HTTPStatus
from urllib.parse import unquote

from gcp_storage_emulator import settings

from infra.local.storage.refusals import Refused, access_denied
from infra.local.storage.signatures import SignedRequest, Signers, verify

_JSON_API = (
    f"{settings.API_ENDPOINT}/",
    f"{settings.UPLOAD_API_ENDPOINT}/",
    f"{settings.DOWNLOAD_API_ENDPOINT}/",
    settings.BATCH_API_ENDPOINT,
)
_SIZE_RANGE = "x-goog-content-length-range"


def is_json_api(path: str) -> bool:
    """Whether this is the API of the client libraries, which send no credentials to an emulator."""
    return path == "/" or path.startswith(_JSON_API)


def object_at(path: str) -> tuple[str, str]:
    """Bucket and object of an address such as /bucket/some/object. Raises Refused when it names none."""
    bucket, _, name = unquote(path).lstrip("/").partition("/")
    if not bucket or not name or ".." in name.split("/"):
        raise Refused(HTTPStatus.NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
    return bucket, name


def refuse_strangers(
    request: SignedRequest, signers: Signers, public_buckets: Collection[str], *, body_bytes: int, now: datetime
) -> None:
    """Raises Refused unless the request is signed for, or reads from a public bucket."""
    if request.is_signed:
        verify(request, signers, now=now)
        _refuse_size(request.headers.get(_SIZE_RANGE), body_bytes)
        return
    bucket, _ = object_at(request.path)
    if request.method != "GET" or bucket not in public_buckets:
        verb = "get" if request.method == "GET" else "create"
        raise access_denied(f"Anonymous caller does not have storage.objects.{verb} access to the object.")


def _refuse_size(told: str | None, body_bytes: int) -> None:
    """Raises Refused for a body outside `minimum,maximum` (both in bytes, both allowed)."""
    if told is None:
        return
    least, _, most = told.partition(",")
    if not (least.strip().isdecimal() and most.strip().isdecimal()):
        raise Refused(HTTPStatus.BAD_REQUEST, "InvalidArgument", "Invalid argument.", parameter=_SIZE_RANGE)
    if body_bytes < int(least):
        raise Refused(HTTPStatus.BAD_REQUEST, "EntityTooSmall", "The body is smaller than the signature allows.")
    if body_bytes > int(most):
        raise Refused(HTTPStatus.BAD_REQUEST, "EntityTooLarge", "The body is larger than the signature allows.")
