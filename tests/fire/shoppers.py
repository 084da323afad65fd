"""Shoppers who do not give up: they send the same request with the same key until somebody answers."""

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.builders.carts import checkout_of
from tests.patience import PATIENCE_S

LOST = "connection lost"


@dataclass(frozen=True)
class Told:
    """An answer that settles a request."""

    status: int
    body: dict[str, Any]

    @property
    def reason(self) -> str | None:
        return self.body["error"]["details"]["reason"] if "error" in self.body else None

    @property
    def order_ids(self) -> list[str]:
        return sorted(order["id"] for order in self.body.get("data", {}).get("vendor_orders", []))


@dataclass
class Seen:
    """What came back in all, settled or not, by status and code; shared by many shoppers."""

    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


@dataclass(frozen=True)
class Shopper:
    """One buyer with a cart to check out; `cart_id` as text."""

    token: str
    cart_id: str
    key: str = field(default_factory=lambda: str(uuid4()))

    def check_out(self, port: int, seen: Seen, *, key: str | None = None) -> Told:
        """The first answer that is neither a lost connection, nor 503, nor a key in use."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            told = self._ask(port, key or self.key)
            code = told and told.body.get("error", {}).get("code")
            seen.note(f"{told.status} {code or 'OK'}" if told else LOST)
            if told is not None and code not in {"DEPENDENCY_ERROR", "IDEMPOTENCY_IN_PROGRESS"}:
                return told
            time.sleep(0.1)
        raise AssertionError(f"no answer within {PATIENCE_S} seconds, but {dict(seen.counts)}")

    def _ask(self, port: int, key: str) -> Told | None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", "/api/v1/checkout", json.dumps(checkout_of(self.cart_id)), headers)
            answer = connection.getresponse()
            return Told(answer.status, json.loads(answer.read()))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
