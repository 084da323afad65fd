"""The control port, as a test speaks to it."""

import json
import urllib.request
from typing import Any

from infra.local.pubsub import Emulator
from tests.patience import PATIENCE_S


def call(emulator: Emulator, method: str, path: str, content: Any = None) -> Any:
    """What the control port answers. Raises urllib's HTTPError for a refusal."""
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(f"{emulator.control_url}{path}", data=body, method=method)  # noqa: S310 (loopback)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 (loopback)
        return json.load(answer)


def stats_of(emulator: Emulator, subscription: str) -> dict[str, int]:
    """The counts of one subscription."""
    counts: dict[str, int] = call(emulator, "GET", "/stats")["subscriptions"][subscription]
    return counts
