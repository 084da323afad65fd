"""What stands before the emulator: it decides who may, answers pages of other origins, and keeps order."""

import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from io import BufferedIOBase, BytesIO
from typing import Any
from urllib.parse import urlsplit

from gcp_storage_emulator.server import RequestHandler, Router, _read_raw_data

from infra.local.storage import cors
from infra.local.storage.access import is_json_api, object_at, refuse_strangers
from infra.local.storage.objects import Objects
from infra.local.storage.preconditions import refuse_unmet
from infra.local.storage.refusals import Refused
from infra.local.storage.signatures import SignedRequest, Signers


@dataclass(frozen=True)
class House:
    """What a front serves and by which rules."""

    objects: Objects
    signers: Signers
    public_buckets: frozenset[str]


class Front(RequestHandler):  # type: ignore[misc]  # the emulator has no types
    """One request. The emulator's handlers run one at a time, on a body that was read before."""

    timeout = 60
    wfile: BufferedIOBase

    def __init__(self, house: House, *args: Any) -> None:
        self._house = house
        super().__init__(house.objects, *args)

    def _answer_preflight(self) -> None:
        """A page asks whether it may; without a rule that says so it gets no permission."""
        asked = self.headers.get("Access-Control-Request-Method", "")
        self.send_response(HTTPStatus.OK)
        self._send_headers(self._cors_headers(asked, preflight=True) | {"Content-Length": "0"})
        super().end_headers()

    def end_headers(self) -> None:
        """Adds what a page of another origin needs to read the answer."""
        self._send_headers(self._cors_headers(self.command))
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing: the stack's log is for the functions."""

    def _serve(self) -> None:
        body = _read_raw_data(self) or b""
        try:
            self._admit(len(body))
            answer = self._answer_of_emulator(body)
        except Refused as refusal:
            self._refuse(refusal)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self._refuse(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", "The emulator failed."))
        else:
            self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names
    do_OPTIONS = _answer_preflight  # noqa: N815 - http.server's name

    def _admit(self, body_bytes: int) -> None:
        # With this header the emulator would do another thing than what was signed.
        del self.headers["x-http-method-override"]
        request = SignedRequest(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        if not is_json_api(request.path):
            house = self._house
            refuse_strangers(request, house.signers, house.public_buckets, body_bytes=body_bytes, now=datetime.now(UTC))

    def _answer_of_emulator(self, body: bytes) -> bytes:
        headers = {name.lower(): value for name, value in self.headers.items()}
        del self.headers["Transfer-Encoding"], self.headers["Content-Length"]
        self.headers["Content-Length"] = str(len(body))
        socket = self.wfile
        gathered = BytesIO()
        self.rfile, self.wfile = BytesIO(body), gathered
        try:
            with self._house.objects.lock:
                refuse_unmet(self._house.objects, self.command, self.path, headers)
                Router(self).handle(self.command)
            return gathered.getvalue()
        finally:
            self.wfile = socket

    def _refuse(self, refusal: Refused) -> None:
        self.send_response(refusal.status)
        self._send_headers({"Content-Type": "application/xml; charset=UTF-8", "Content-Length": str(len(refusal.xml))})
        self.end_headers()
        self.wfile.write(refusal.xml)

    def _send_headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)

    def _cors_headers(self, method: str, *, preflight: bool = False) -> dict[str, str]:
        path = urlsplit(self.path).path
        if is_json_api(path):
            return {}
        try:
            bucket, _ = object_at(path)
        except Refused:
            return {}
        rules = self._house.objects.cors_of(bucket)
        return cors.headers_for(rules, self.headers.get("Origin"), method, preflight=preflight)
