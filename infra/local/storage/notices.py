"""Tells functions of finalized objects: CloudEvents over HTTP in binary mode, again when they are refused.

Type and data as in https://cloud.google.com/eventarc/docs/cloudevents#storage.
"""

import heapq
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.pubsub.endpoint import EndpointConnection
from infra.local.storage.objects import Resource

EVENT_TYPE = "google.cloud.storage.object.v1.finalized"
RETRY_AFTER_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_TIMEOUT_S = 60.0


@dataclass(order=True)
class _Notice:
    due_s: float
    number: int
    endpoint: str = field(compare=False)
    resource: Resource = field(compare=False)
    event_id: str = field(compare=False)
    refusals: int = field(compare=False, default=0)


class Notices:
    """One thread that delivers in order of due time; after the last retry a notice is given up, and said so."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        self._endpoints = dict(endpoints)
        self._waiting: list[_Notice] = []
        self._numbered = 0
        self._is_delivering = False
        self._is_stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="storage notices", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Deliver nothing more; what is under way may finish."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join(timeout=2.0)

    def send_to(self, bucket: str, url: str | None) -> None:
        """From now on, objects of this bucket are announced there; to nobody without an address."""
        with self._changed:
            if url is None:
                self._endpoints.pop(bucket, None)
            else:
                self._endpoints[bucket] = url

    def announce(self, resource: Resource) -> None:
        """Tell of a finalized object, soon; nobody listens to a bucket without an endpoint."""
        with self._changed:
            endpoint = self._endpoints.get(resource["bucket"])
            if endpoint is not None:
                self._numbered += 1
                notice = _Notice(time.monotonic(), self._numbered, endpoint, resource, str(secrets.randbits(53)))
                heapq.heappush(self._waiting, notice)
                self._changed.notify_all()

    def wait_until_quiet(self, *, timeout_s: float) -> bool:
        """Whether all notices were delivered or given up within the time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._is_delivering, timeout_s)

    def _work(self) -> None:
        while (notice := self._next()) is not None:
            delivered = self._deliver(notice)
            with self._changed:
                self._is_delivering = False
                if not delivered:
                    self._put_back(notice)
                self._changed.notify_all()

    def _next(self) -> _Notice | None:
        with self._changed:
            while not self._is_stopped:
                wait_s = self._waiting[0].due_s - time.monotonic() if self._waiting else None
                if wait_s is not None and wait_s <= 0:
                    self._is_delivering = True
                    return heapq.heappop(self._waiting)
                self._changed.wait(wait_s)
            return None

    def _deliver(self, notice: _Notice) -> bool:
        connection = EndpointConnection(notice.endpoint)
        try:
            status = connection.post(body_of(notice.resource), headers_of(notice), timeout_s=_TIMEOUT_S)
        finally:
            connection.close()
        return status is not None and 200 <= status < 300

    def _put_back(self, notice: _Notice) -> None:
        if notice.refusals == len(RETRY_AFTER_S):
            print(f"Nobody took the notice of {notice.resource['id']}; it is given up.", flush=True)
            return
        notice.due_s = time.monotonic() + RETRY_AFTER_S[notice.refusals]
        notice.refusals += 1
        heapq.heappush(self._waiting, notice)


def headers_of(notice: _Notice) -> dict[str, str]:
    """The event's context attributes, as HTTP headers."""
    bucket, name = notice.resource["bucket"], notice.resource["name"]
    return {
        "ce-id": notice.event_id,
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        "ce-specversion": "1.0",
        "ce-type": EVENT_TYPE,
        "ce-subject": f"objects/{name}",
        "ce-time": notice.resource["timeCreated"],
        "ce-bucket": bucket,
        "Content-Type": "application/json",
    }


def body_of(resource: Resource) -> bytes:
    """The object's resource as JSON, numbers as text as everywhere in it."""
    return json.dumps({**resource, "size": str(resource["size"])}).encode()
