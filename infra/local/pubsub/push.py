"""Pushes deliveries to HTTP endpoints: 2xx settles a delivery, anything else gives it back."""

import threading
import time

from infra.local.pubsub import cloud_event
from infra.local.pubsub.backlog import Delivery
from infra.local.pubsub.endpoint import EndpointConnection
from infra.local.pubsub.subscription import Subscription

MAX_OUTSTANDING = 8
_FAREWELL_S = 1.0


class Pusher:
    """Delivers one subscription to one endpoint with at most `max_outstanding` requests at once.

    Every worker is a thread with a connection of its own; one is added whenever all are busy.
    """

    def __init__(self, subscription: Subscription, *, max_outstanding: int) -> None:
        self.endpoint = subscription.push_endpoint
        self._subscription = subscription
        self._max_workers = max_outstanding
        self._lock = threading.Lock()
        self._workers: list[threading.Thread] = []
        self._idle_count = 0
        self._stopped = threading.Event()
        self._add_worker()

    def stop(self) -> None:
        """Push nothing more; requests under way may finish."""
        self._stopped.set()
        self._subscription.mailbox.wake()

    def join(self, *, until_s: float) -> None:
        """Wait for the workers until this moment of the monotonic clock."""
        for worker in self._workers:
            worker.join(max(until_s - time.monotonic(), 0.0))

    def _add_worker(self) -> None:
        worker = threading.Thread(target=self._work, name=f"push {self._subscription.name}", daemon=True)
        self._workers.append(worker)
        self._idle_count += 1
        worker.start()

    def _work(self) -> None:
        connection = EndpointConnection(self.endpoint)
        try:
            while deliveries := self._subscription.mailbox.take(1, patience_s=None, is_cancelled=self._stopped.is_set):
                self._leave_someone_idle()
                is_done = self._post(deliveries[0], connection)
                # Idle before it settles: settling may wake another worker, who would think all are busy.
                with self._lock:
                    self._idle_count += 1
                self._settle(deliveries[0], is_done)
        finally:
            connection.close()

    def _leave_someone_idle(self) -> None:
        with self._lock:
            self._idle_count -= 1
            if not self._idle_count and len(self._workers) < self._max_workers:
                self._add_worker()

    def _post(self, delivery: Delivery, connection: EndpointConnection) -> bool:
        subscription = self._subscription
        status = connection.post(
            cloud_event.body_of(delivery, subscription=subscription.name, has_attempts=subscription.has_attempts),
            cloud_event.headers_of(delivery.message),
            timeout_s=subscription.config.ack_deadline_seconds,
        )
        return status is not None and 200 <= status < 300

    def _settle(self, delivery: Delivery, is_done: bool) -> None:
        if is_done:
            self._subscription.mailbox.ack([delivery.ack_id])
        else:
            self._subscription.mailbox.nack([delivery.ack_id])


class Pushers:
    """One pusher for each subscription that has an endpoint, kept in step with the broker by `follow`."""

    def __init__(self, *, max_outstanding: int = MAX_OUTSTANDING) -> None:
        self._max_outstanding = max_outstanding
        self._lock = threading.Lock()
        self._running: dict[str, Pusher] = {}

    def follow(self, subscription: Subscription) -> None:
        """Start, stop or replace the pusher of a subscription that was created, changed or deleted."""
        with self._lock:
            current = self._running.get(subscription.name)
            if current is not None and current.endpoint != subscription.push_endpoint:
                self._running.pop(subscription.name).stop()
                current = None
            if current is None and subscription.push_endpoint:
                pusher = Pusher(subscription, max_outstanding=self._max_outstanding)
                self._running[subscription.name] = pusher

    def close(self) -> None:
        """Stop all; requests still under way after a moment are abandoned."""
        with self._lock:
            for pusher in self._running.values():
                pusher.stop()
            until_s = time.monotonic() + _FAREWELL_S
            for pusher in self._running.values():
                pusher.join(until_s=until_s)
            self._running.clear()
