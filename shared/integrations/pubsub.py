"""Google Pub/Sub through its official client; PUBSUB_EMULATOR_HOST points it elsewhere, by its own convention."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from shared.kit.config import CommonSettings
from shared.kit.publishing import Unpublishable

# A batch of events goes out in one call for each topic: the client waits this long for company, no longer.
_COMPANY_S = 0.005
_CALL_S = 5.0
_RETRIES_S = 10.0


class PubSubTopics:
    """The topics of one project. Sends from any thread; a failed call is tried again for some seconds."""

    def __init__(self, project: str) -> None:
        from google.api_core.exceptions import (
            Aborted,
            DeadlineExceeded,
            InternalServerError,
            ResourceExhausted,
            ServiceUnavailable,
        )
        from google.api_core.retry import Retry, if_exception_type
        from google.cloud.pubsub_v1 import PublisherClient
        from google.cloud.pubsub_v1.types import BatchSettings

        passing = (Aborted, DeadlineExceeded, InternalServerError, ResourceExhausted, ServiceUnavailable)
        self._client = PublisherClient(BatchSettings(max_messages=1_000, max_bytes=5_000_000, max_latency=_COMPANY_S))
        self._project = project
        self._retry = Retry(if_exception_type(*passing), initial=0.1, maximum=2.0, multiplier=2.0, timeout=_RETRIES_S)

    def send(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> "Future[Any]":
        """Start to send; the future is done once the topic has the message. Raises Unpublishable when too large."""
        from google.cloud.pubsub_v1.publisher.exceptions import MessageTooLargeError

        path = f"projects/{self._project}/topics/{topic}"
        try:
            sent: Future[Any] = self._client.publish(path, data, retry=self._retry, timeout=_CALL_S, **attributes)
        except MessageTooLargeError as error:
            raise Unpublishable("the message is larger than Pub/Sub takes") from error
        return sent

    def wait_for_service(self, limit_s: float) -> None:
        """Return once the service can be reached; it needs no right. Raises grpc.FutureTimeoutError."""
        import grpc

        grpc.channel_ready_future(self._client.transport.grpc_channel).result(timeout=limit_s)

    def close(self) -> None:
        """Send what waits and let go of the connection."""
        self._client.stop()
        self._client.transport.close()


_warm: PubSubTopics | None = None
_making = threading.Lock()


def topics() -> PubSubTopics:
    """The topics of our project, connected at first use."""
    global _warm
    with _making:
        if _warm is None:
            _warm = PubSubTopics(CommonSettings.current().gcp_project)
        return _warm


def check_pubsub() -> None:
    """Raise when Pub/Sub cannot be reached."""
    topics().wait_for_service(_CALL_S)


def forget() -> None:
    """Close the warm client. For tests, and before a fork."""
    global _warm
    if _warm is not None:
        _warm.close()
    _warm = None
