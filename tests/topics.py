"""Topics that only take notes, for tests of what the publisher decides."""

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Sent:
    """A message that a topic was handed."""

    topic: str
    message: dict[str, Any]
    attributes: dict[str, str]

    @property
    def event_id(self) -> UUID:
        return UUID(self.message["event_id"])

    @property
    def aggregate_id(self) -> UUID:
        return UUID(self.message["aggregate_id"])


class RecordingTopics:
    """Takes every message, except those that `refuses` names an error for."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.refuses: Callable[[Sent], Exception | None] = lambda _: None
        self._lock = threading.Lock()

    def send(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> "Future[Any]":
        sent = Sent(topic, json.loads(data), dict(attributes))
        answer: Future[Any] = Future()
        error = self.refuses(sent)
        if error is not None:
            answer.set_exception(error)
            return answer
        with self._lock:
            self.sent.append(sent)
        answer.set_result("1")
        return answer

    def ids(self, event_type: str | None = None) -> list[UUID]:
        """The events taken, of one type or of all, each as often as it was, in order."""
        return [sent.event_id for sent in self.sent if event_type in (None, sent.message["event_type"])]
