"""The messages of one subscription on their way: waiting, handed out, or waiting again.

Pure bookkeeping: it never reads a clock, never waits and knows no threads; every verb is told what time it is,
in seconds of any clock that only goes forward.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from infra.local.pubsub.message import Message
from infra.local.pubsub.policy import DeliveryPolicy


@dataclass(order=True)
class Delivery:
    """One message's way through one subscription; a duplicated message has several."""

    due_at_s: float
    number: int
    message: Message = field(compare=False)
    failures: int = field(default=0, compare=False)
    ack_id: str = field(default="", compare=False)
    deadline_at_s: float = field(default=0.0, compare=False)

    @property
    def attempt(self) -> int:
        """Google's delivery attempt: one more than the failures so far."""
        return self.failures + 1


class Backlog:
    """Hands out deliveries that are due, oldest first; with ordering, one at a time for each ordering key."""

    def __init__(self, name: str, policy: DeliveryPolicy) -> None:
        self.policy = policy
        self._name = name
        self._numbers = itertools.count(1)
        self._ack_numbers = itertools.count(1)
        self._due: list[Delivery] = []
        self._behind: dict[str, deque[Delivery]] = {}
        self._outstanding: dict[str, Delivery] = {}
        self._deadlines: list[tuple[float, str]] = []

    @property
    def outstanding_count(self) -> int:
        """Deliveries handed out and neither settled nor late."""
        return len(self._outstanding)

    @property
    def waiting_count(self) -> int:
        """Deliveries not handed out now, whether due, held, backing off or behind another of their key."""
        return len(self._due) + sum(map(len, self._behind.values()))

    def add(self, message: Message, *, due_at_s: float) -> None:
        """Take in one delivery of the message, to be handed out from `due_at_s` on."""
        delivery = Delivery(due_at_s, next(self._numbers), message)
        key = self._lane_of(delivery)
        if key in self._behind:
            self._behind[key].append(delivery)
            return
        if key:
            self._behind[key] = deque()
        heapq.heappush(self._due, delivery)

    def take(self, now_s: float, limit: int) -> list[Delivery]:
        """Up to `limit` deliveries that are due, each with an ack id and a deadline."""
        taken: list[Delivery] = []
        while len(taken) < limit and self._due and self._due[0].due_at_s <= now_s:
            # A copy: whoever still holds the previous attempt must not settle this one by mistake.
            delivery = replace(heapq.heappop(self._due), ack_id=f"{self._name}:{next(self._ack_numbers)}")
            self._outstanding[delivery.ack_id] = delivery
            self._set_deadline(delivery, now_s + self.policy.ack_deadline_s)
            taken.append(delivery)
        return taken

    def ack(self, ack_ids: Iterable[str]) -> int:
        """Settle deliveries for good; the number of them that were still outstanding."""
        settled = self._claim(ack_ids)
        for delivery in settled:
            self._let_next_pass(delivery)
        return len(settled)

    def nack(self, ack_ids: Iterable[str], now_s: float) -> "Failures":
        """Give deliveries back: each waits for its backoff, or is exhausted and leaves."""
        return self._fail(self._claim(ack_ids), now_s)

    def extend(self, ack_ids: Iterable[str], deadline_at_s: float) -> None:
        """Move the deadline of those still outstanding."""
        for ack_id in ack_ids:
            if ack_id in self._outstanding:
                self._set_deadline(self._outstanding[ack_id], deadline_at_s)

    def expire(self, now_s: float) -> "Failures":
        """Fail every delivery whose deadline has passed."""
        late = []
        while self._deadlines and self._deadlines[0][0] <= now_s:
            _, ack_id = heapq.heappop(self._deadlines)
            delivery = self._outstanding.get(ack_id)
            if delivery is not None and delivery.deadline_at_s <= now_s:
                late.append(self._outstanding.pop(ack_id))
        return self._fail(late, now_s)

    def next_change_at_s(self) -> float | None:
        """When the next delivery is due or late; None when only an outside event changes anything."""
        moments = [self._due[0].due_at_s] if self._due else []
        moments += [self._deadlines[0][0]] if self._deadlines else []
        return min(moments, default=None)

    def _fail(self, deliveries: list[Delivery], now_s: float) -> "Failures":
        exhausted = []
        for delivery in deliveries:
            delivery.failures += 1
            if self.policy.is_exhausted(delivery.failures):
                self._let_next_pass(delivery)
                exhausted.append(delivery)
            else:
                delivery.due_at_s = now_s + self.policy.backoff_s(delivery.failures)
                heapq.heappush(self._due, delivery)
        return Failures(len(deliveries), exhausted)

    def _claim(self, ack_ids: Iterable[str]) -> list[Delivery]:
        claimed = (self._outstanding.pop(ack_id, None) for ack_id in ack_ids)
        return [delivery for delivery in claimed if delivery is not None]

    def _set_deadline(self, delivery: Delivery, deadline_at_s: float) -> None:
        delivery.deadline_at_s = deadline_at_s
        heapq.heappush(self._deadlines, (deadline_at_s, delivery.ack_id))

    def _let_next_pass(self, delivery: Delivery) -> None:
        key = self._lane_of(delivery)
        if not key:
            return
        if self._behind[key]:
            heapq.heappush(self._due, self._behind[key].popleft())
        else:
            del self._behind[key]

    def _lane_of(self, delivery: Delivery) -> str:
        return delivery.message.draft.ordering_key if self.policy.ordered else ""


@dataclass(frozen=True)
class Failures:
    """What a round of failing did: how many failed, and which of them have no attempt left."""

    count: int
    exhausted: list[Delivery]
