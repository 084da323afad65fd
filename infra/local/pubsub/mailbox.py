"""A backlog that threads share: they wait for deliveries, settle them, and are counted."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from infra.local.pubsub.backlog import Backlog, Delivery, Failures
from infra.local.pubsub.message import Message
from infra.local.pubsub.policy import DeliveryPolicy


@dataclass
class Tally:
    """What happened to a subscription's deliveries so far; a missed deadline counts as nacked."""

    delivered: int = 0
    acked: int = 0
    nacked: int = 0
    dead_lettered: int = 0


class Mailbox:
    """One subscription's deliveries. `now_s` is a clock that only goes forward; `forward` receives what is
    exhausted, outside the lock."""

    def __init__(
        self,
        name: str,
        policy: DeliveryPolicy,
        *,
        now_s: Callable[[], float],
        forward: Callable[[Delivery], None],
    ) -> None:
        self._backlog = Backlog(name, policy)
        self._changed = threading.Condition()
        self._now_s = now_s
        self._forward = forward
        self._tally = Tally()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether the subscription is gone."""
        return self._closed

    def set_policy(self, policy: DeliveryPolicy) -> None:
        """Deliver by other rules from now on; ordering is fixed at birth."""
        with self._changed:
            self._backlog.policy = policy

    def put(self, message: Message, *, delays_s: Iterable[float]) -> None:
        """Queue one delivery of the message for each delay."""
        with self._changed:
            for delay_s in delays_s:
                self._backlog.add(message, due_at_s=self._now_s() + delay_s)
                self._changed.notify()

    def take(
        self,
        limit: int,
        *,
        patience_s: float | None = 0.0,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Delivery]:
        """Up to `limit` due deliveries, waiting for the first up to `patience_s` (None: as long as it takes).

        Empty when patience ended, the mailbox closed, or the caller is cancelled (see `wake`).
        """
        give_up_at_s = None if patience_s is None else self._now_s() + patience_s
        while True:
            with self._changed:
                if self._closed or is_cancelled():
                    # The wake-up may have been meant for someone who still wants a delivery.
                    self._changed.notify()
                    return []
                failures = self._count(self._backlog.expire(self._now_s()))
                taken = [] if failures.exhausted else self._backlog.take(self._now_s(), limit)
                self._tally.delivered += len(taken)
                if taken:
                    return taken
                if not failures.exhausted:
                    if give_up_at_s is not None and self._now_s() >= give_up_at_s:
                        return []
                    self._changed.wait(self._seconds_to_wait(give_up_at_s))
            self._hand_over(failures)

    def ack(self, ack_ids: Iterable[str]) -> None:
        """Settle for good; unknown and late ids are ignored."""
        with self._changed:
            settled = self._backlog.ack(ack_ids)
            self._tally.acked += settled
            self._changed.notify(settled)

    def nack(self, ack_ids: Iterable[str]) -> None:
        """Give back for another attempt; unknown and late ids are ignored."""
        with self._changed:
            failures = self._count(self._backlog.nack(ack_ids, self._now_s()))
            self._changed.notify(failures.count)
        self._hand_over(failures)

    def extend(self, ack_ids: Iterable[str], *, seconds: float) -> None:
        """Let those outstanding take `seconds` from now."""
        with self._changed:
            self._backlog.extend(ack_ids, self._now_s() + seconds)
            self._changed.notify()

    def wake(self) -> None:
        """Have every waiter look again whether it is cancelled."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Hand out nothing more and send every waiter home."""
        self._closed = True
        self.wake()

    def stats(self) -> dict[str, int]:
        """The tally, and how many deliveries are outstanding and waiting at this moment."""
        with self._changed:
            return {
                **asdict(self._tally),
                "outstanding": self._backlog.outstanding_count,
                "waiting": self._backlog.waiting_count,
            }

    def _count(self, failures: Failures) -> Failures:
        self._tally.nacked += failures.count
        self._tally.dead_lettered += len(failures.exhausted)
        return failures

    def _hand_over(self, failures: Failures) -> None:
        for delivery in failures.exhausted:
            self._forward(delivery)

    def _seconds_to_wait(self, give_up_at_s: float | None) -> float | None:
        moments = [moment for moment in (self._backlog.next_change_at_s(), give_up_at_s) if moment is not None]
        return max(min(moments) - self._now_s(), 0.0) if moments else None
