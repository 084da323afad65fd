"""Signed notifications of what happened, sent one after the other from a thread of their own."""

import base64
import hashlib
import hmac
import json
import time
import urllib.request
from http.client import HTTPException
from queue import SimpleQueue
from threading import Thread
from typing import Any
from uuid import uuid4

TRIES = 4
_PAUSE_S = 0.5


def signature(key: str, url: str, body: bytes) -> str:
    """Square's signature: HMAC-SHA256 over notification URL and raw body, in base64."""
    return base64.b64encode(hmac.digest(key.encode(), url.encode() + body, hashlib.sha256)).decode()


class Webhooks:
    """Sends events to one URL until it answers 2xx, `TRIES` times at most."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="square-webhooks", daemon=True)
        self._thread.start()

    def send(self, kind: str, name: str, told: dict[str, Any], at: str) -> None:
        """Queue the event `kind` about `told`, an object of type `name`."""
        event = {
            "merchant_id": "MLSTANDIN0001",
            "type": kind,
            "event_id": str(uuid4()),
            "created_at": at,
            "data": {"type": name, "id": told["id"], "object": {name: told}},
        }
        self._queue.put(json.dumps(event).encode())

    def close(self) -> None:
        """Stop after what is queued, waiting for it a little."""
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while (body := self._queue.get()) is not None:
            for attempt in range(TRIES):
                if self._deliver(body):
                    break
                time.sleep(_PAUSE_S * 2**attempt)

    def _deliver(self, body: bytes) -> bool:
        headers = {
            "Content-Type": "application/json",
            "x-square-hmacsha256-signature": signature(self._key, self._url, body),
        }
        asked = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:
                return bool(200 <= answer.status < 300)
        except (OSError, HTTPException):
            return False
