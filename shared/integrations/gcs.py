"""Cloud Storage through its official client; STORAGE_EMULATOR_HOST points it elsewhere, by its own convention."""

import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.errors import DependencyDown
from shared.kit.logging import log

if TYPE_CHECKING:
    from contextvars import Context

    from google.auth.credentials import Signing
    from google.cloud.storage import Blob

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_CONNECT_AND_READ_S = (3.0, 20.0)
_RETRIES_S = 15.0
# What is larger goes up piece by piece. The library's own piece is 100 MB, which it holds in memory.
_PIECE_BYTES = 8 * 1024 * 1024
# A page of a hundred files is signed in the time of ten.
SIGNED_AT_ONCE = 10
_IAM_S = 5.0


@dataclass(frozen=True)
class SignedUpload:
    """Leave to PUT one object: exactly these headers must be sent with it, before it expires."""

    url: str
    headers: dict[str, str]
    expires_at: datetime


@dataclass(frozen=True)
class StoredObject:
    """What is known about an object. `generation` grows with every write of its key; the hash is base64."""

    generation: int
    size_bytes: int
    content_type: str | None
    md5_hash: str | None


@dataclass(frozen=True)
class ListedObject:
    """An object as a listing of its bucket shows it."""

    key: str
    stored: StoredObject
    created_at: datetime


class ObjectStore(Protocol):
    """Objects in buckets. Everything but the signing of a held key may raise DependencyDown."""

    def presign_put(self, bucket: str, key: str, *, content_type: str, max_bytes: int, ttl: timedelta) -> SignedUpload:
        """A V4 signed URL for one PUT of 1 to `max_bytes` bytes of this type."""
        ...

    def presign_get(self, bucket: str, key: str, *, disposition: str, ttl: timedelta) -> str:
        """A V4 signed URL for reading; the answer carries this Content-Disposition."""
        ...

    def presign_gets(self, bucket: str, dispositions: Mapping[str, str], *, ttl: timedelta) -> dict[str, str]:
        """The same for many objects, by their keys; what has to ask for signatures asks for many at once."""
        ...

    def stat(self, bucket: str, key: str) -> StoredObject | None:
        """What is known about the live object; none when there is none."""
        ...

    def read_head(self, bucket: str, key: str, *, generation: int, max_bytes: int) -> bytes | None:
        """The first bytes of this generation; none when it is not the live one any more."""
        ...

    def download(self, bucket: str, key: str, target: BinaryIO, *, generation: int) -> bool:
        """Write the bytes of this generation to `target`; false when it is not the live one any more."""
        ...

    def list_objects(self, bucket: str, *, prefix: str = "") -> Iterator[ListedObject]:
        """The live objects whose keys begin with `prefix`, by key; pages are fetched as they are needed."""
        ...

    def public_url(self, bucket: str, key: str) -> str:
        """Where everybody may read an object of a public bucket."""
        ...

    def delete(self, bucket: str, key: str, *, generation: int | None = None) -> None:
        """Remove the object, or only this generation of it. One that is not there counts as removed."""
        ...

    def upload(
        self, bucket: str, key: str, source: BinaryIO, *, content_type: str, cache_control: str | None = None
    ) -> StoredObject:
        """Write an object from where `source` stands to its end."""
        ...


class GoogleObjectStore:
    """Implements ObjectStore. URLs are signed by the key that is held, else by IAM in our account's name."""

    def __init__(self, project: str) -> None:
        from google.cloud.storage import Client
        from google.cloud.storage.retry import DEFAULT_RETRY

        # Else a thread of its own asks for each bucket's metadata, which functions have no right to, for traces that
        # nobody collects.
        os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"
        self._client = Client(project=project)
        self._retry = DEFAULT_RETRY.with_timeout(_RETRIES_S)
        self._bounds: dict[str, Any] = {"timeout": _CONNECT_AND_READ_S, "retry": self._retry}
        self._signing: Signing | None = None
        self._preparing = threading.Lock()
        self._hands = ThreadPoolExecutor(SIGNED_AT_ONCE, thread_name_prefix="sign")

    def presign_put(self, bucket: str, key: str, *, content_type: str, max_bytes: int, ttl: timedelta) -> SignedUpload:
        headers = {"Content-Type": content_type, "x-goog-content-length-range": f"1,{max_bytes}"}
        expires_at = clock.now() + ttl
        # The library adds the Host header to what it is given.
        url = self._signed(bucket, key, method="PUT", expiration=ttl, headers=dict(headers))
        return SignedUpload(url, headers, expires_at)

    def presign_get(self, bucket: str, key: str, *, disposition: str, ttl: timedelta) -> str:
        return self._signed(bucket, key, method="GET", expiration=ttl, response_disposition=disposition)

    def presign_gets(self, bucket: str, dispositions: Mapping[str, str], *, ttl: timedelta) -> dict[str, str]:
        # A context can be entered by one thread at a time, and the log tells whose request it is from it.
        contexts = [copy_context() for _ in dispositions]

        def sign(context: "Context", key: str) -> str:
            return context.run(self.presign_get, bucket, key, disposition=dispositions[key], ttl=ttl)

        return dict(zip(dispositions, self._hands.map(sign, contexts, dispositions), strict=True))

    def stat(self, bucket: str, key: str) -> StoredObject | None:
        with _answering("stat"):
            blob = self._client.bucket(bucket).get_blob(key, **self._bounds)
        return _told(blob) if blob is not None else None

    def read_head(self, bucket: str, key: str, *, generation: int, max_bytes: int) -> bytes | None:
        from google.api_core.exceptions import NotFound

        blob = self._client.bucket(bucket).blob(key, generation=generation)
        try:
            with _answering("read_head", NotFound):
                # The checksum that comes along is the whole object's, which a part cannot match.
                read: bytes = blob.download_as_bytes(
                    start=0, end=max_bytes - 1, raw_download=True, checksum=None, **self._bounds
                )
        except NotFound:
            return None
        return read

    def download(self, bucket: str, key: str, target: BinaryIO, *, generation: int) -> bool:
        from google.api_core.exceptions import NotFound

        blob = self._client.bucket(bucket).blob(key, generation=generation)
        try:
            with _answering("download", NotFound):
                blob.download_to_file(target, raw_download=True, **self._bounds)
        except NotFound:
            return False
        return True

    def list_objects(self, bucket: str, *, prefix: str = "") -> Iterator[ListedObject]:
        with _answering("list"):
            for blob in self._client.list_blobs(bucket, prefix=prefix, **self._bounds):
                yield ListedObject(blob.name, _told(blob), blob.time_created)

    def public_url(self, bucket: str, key: str) -> str:
        url: str = self._client.bucket(bucket).blob(key).public_url
        return url

    def delete(self, bucket: str, key: str, *, generation: int | None = None) -> None:
        from google.api_core.exceptions import NotFound, PreconditionFailed

        blob = self._client.bucket(bucket).blob(key)
        try:
            with _answering("delete", NotFound, PreconditionFailed):
                blob.delete(if_generation_match=generation, **self._bounds)
        except (NotFound, PreconditionFailed):
            return

    def upload(
        self, bucket: str, key: str, source: BinaryIO, *, content_type: str, cache_control: str | None = None
    ) -> StoredObject:
        blob = self._client.bucket(bucket).blob(key, chunk_size=_PIECE_BYTES)
        blob.cache_control = cache_control
        with _answering("upload"):
            blob.upload_from_file(source, content_type=content_type, checksum="md5", **self._bounds)
        return _told(blob)

    def close(self) -> None:
        """Let go of the connections."""
        self._hands.shutdown()
        self._client.close()

    def _signed(self, bucket: str, key: str, **what: Any) -> str:
        blob = self._client.bucket(bucket).blob(key)
        with _answering("sign"):
            url: str = blob.generate_signed_url(version="v4", credentials=self._signer(), **what)
        return url

    def _signer(self) -> "Signing":
        with self._preparing:
            if self._signing is None:
                self._signing = signing_credentials()
            return self._signing


def signing_credentials() -> "Signing":
    """The default credentials if they hold a private key, else ones that have IAM sign (`signBlob`).

    IAM signs for the service account that the function runs as, which needs the role
    `roles/iam.serviceAccountTokenCreator` on itself; each signature is one request on a warm connection.
    """
    import google.auth
    from google.auth.credentials import Signing
    from google.auth.iam import Signer
    from google.auth.transport.requests import Request
    from google.oauth2.service_account import Credentials
    from requests import Session
    from requests.adapters import HTTPAdapter

    credentials: Any = google.auth.default(scopes=[_SCOPE])[0]
    if isinstance(credentials, Signing):
        return credentials
    session = Session()
    # One for each of those who sign lists, and for each request that signs one thing beside them.
    session.mount("https://", HTTPAdapter(pool_maxsize=2 * SIGNED_AT_ONCE))
    request = partial(Request(session), timeout=_IAM_S)
    credentials.refresh(request)  # only then it knows whose it is
    email = credentials.service_account_email
    signer: Any = Signer(request, credentials, email)  # type: ignore[no-untyped-call]  # google-auth has few types
    return Credentials(signer, email, token_uri="")  # type: ignore[no-untyped-call]  # the same


def _told(blob: "Blob") -> StoredObject:
    return StoredObject(int(blob.generation), int(blob.size), blob.content_type, blob.md5_hash)


@contextmanager
def _answering(call: str, *expected: type[Exception]) -> Iterator[None]:
    """Turns every failure but the `expected` ones into DependencyDown."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except expected:
        raise
    except (GoogleAPIError, GoogleAuthError, RequestException) as error:
        log.warning("storage_failed", call=call, error_type=type(error).__name__)
        raise DependencyDown("The file storage does not answer; try again shortly.") from error


_warm: GoogleObjectStore | None = None
_making = threading.Lock()


def object_store() -> ObjectStore:
    """The warm store of this instance, connected at first use."""
    global _warm
    with _making:
        if _warm is None:
            _warm = GoogleObjectStore(CommonSettings.current().gcp_project)
        return _warm


def forget() -> None:
    """Close the warm store. For tests, and before a fork."""
    global _warm
    if _warm is not None:
        _warm.close()
    _warm = None
