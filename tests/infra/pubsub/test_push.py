"""Push to functions: the request they receive, and what their answers lead to."""

from datetime import UTC, timedelta
from itertools import pairwise

import pytest
from cloudevents.http import from_http
from google.api_core import exceptions

from infra.local.processes import free_port, wait_until
from infra.local.pubsub import Emulator, running_emulator
from infra.local.pubsub.endpoint import EndpointConnection
from shared.kit import clock
from tests.infra.endpoint import Endpoint, Received, serving
from tests.infra.pubsub.clients import Clients, clients_of_this_environment
from tests.infra.pubsub.control import stats_of
from tests.patience import PATIENCE_S

QUICK = {"minimum_backoff": timedelta(milliseconds=100), "maximum_backoff": timedelta(milliseconds=200)}


def push_to(endpoint: Endpoint, path: str = "/") -> dict[str, str]:
    return {"push_endpoint": f"{endpoint.url}{path}"}


def settled(emulator: Emulator, subscription: str) -> dict[str, int]:
    """The counts, once nothing is under way."""

    def is_quiet() -> bool:
        counts = stats_of(emulator, subscription)
        return counts["outstanding"] == counts["waiting"] == 0

    assert wait_until(is_quiet, timeout_s=PATIENCE_S)
    return stats_of(emulator, subscription)


def test_a_push_is_the_cloud_event_that_a_function_receives(local: Clients, endpoint: Endpoint) -> None:
    topic = local.create_topic("notifications")
    subscription = local.create_subscription("notifications", topic, push_config=push_to(endpoint, "/on_event"))

    [message_id] = local.publish(
        topic, {"data": b'{"n": 1}', "attributes": {"event_type": "order_created"}, "ordering_key": "order-7"}
    )

    [request] = endpoint.wait_for(1)
    event = from_http(request.headers, request.body)
    sent_at = event["time"]
    assert (request.method, request.path) == ("POST", "/on_event")
    assert request.headers["content-type"] == "application/json"
    assert {name: value for name, value in request.headers.items() if name.startswith("ce-")} == {
        "ce-id": message_id,
        "ce-source": f"//pubsub.googleapis.com/{topic}",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-time": sent_at,
    }
    assert event.data == {
        "message": {
            "data": "eyJuIjogMX0=",
            "attributes": {"event_type": "order_created"},
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": sent_at,
            "publish_time": sent_at,
            "orderingKey": "order-7",
        },
        "subscription": subscription,
    }


def test_an_answer_of_success_settles_a_message(local: Clients, emulator: Emulator, endpoint: Endpoint) -> None:
    topic = local.create_topic("notifications")
    subscription = local.create_subscription("notifications", topic, push_config=push_to(endpoint))
    endpoint.statuses = [200, 201, 204]

    local.publish(topic, *[{"data": b"x"}] * 3)

    endpoint.wait_for(3)
    assert settled(emulator, subscription) == {
        "delivered": 3,
        "acked": 3,
        "nacked": 0,
        "dead_lettered": 0,
        "outstanding": 0,
        "waiting": 0,
    }


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_any_other_answer_brings_the_message_again(
    local: Clients, emulator: Emulator, endpoint: Endpoint, status: int
) -> None:
    topic = local.create_topic("notifications")
    subscription = local.create_subscription("notifications", topic, push_config=push_to(endpoint))
    endpoint.statuses = [status]

    local.publish(topic, {"data": b"x"})

    first, second = endpoint.wait_for(2)
    counts = settled(emulator, subscription)
    assert first.body == second.body
    assert (counts["delivered"], counts["nacked"], counts["acked"]) == (2, 1, 1)


def test_redelivery_backs_off_as_the_retry_policy_says(local: Clients, endpoint: Endpoint) -> None:
    topic = local.create_topic("notifications")
    local.create_subscription("notifications", topic, push_config=push_to(endpoint), retry_policy=QUICK)
    endpoint.statuses = [500, 500, 500]

    local.publish(topic, {"data": b"x"})

    waits_s = [later.at_s - earlier.at_s for earlier, later in pairwise(endpoint.wait_for(4))]
    assert [wait_s >= backoff_s for wait_s, backoff_s in zip(waits_s, [0.1, 0.2, 0.2], strict=True)] == [True] * 3


def test_the_fifth_failure_ends_in_the_dead_letter_topic(
    local: Clients, emulator: Emulator, endpoint: Endpoint
) -> None:
    topic, dead = local.create_topic("notifications"), local.create_topic("dead-letter")
    subscription = local.create_subscription(
        "on_event_notify",
        topic,
        push_config=push_to(endpoint, "/on_event_notify"),
        dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5},
        retry_policy={"minimum_backoff": timedelta(), "maximum_backoff": timedelta()},
    )
    local.create_subscription("on_dead_letter", dead, push_config=push_to(endpoint, "/on_dead_letter"))
    endpoint.statuses = [500] * 5

    local.publish(topic, {"data": b"poison", "attributes": {"event_type": "order_created"}})

    *failed, buried = endpoint.wait_for(6)
    published_at = failed[0].json["message"]["publishTime"].replace("Z", "+00:00")
    counts = settled(emulator, subscription)
    assert [(r.path, r.json["deliveryAttempt"]) for r in failed] == [("/on_event_notify", n) for n in range(1, 6)]
    assert (buried.path, buried.json["message"]["data"]) == ("/on_dead_letter", failed[0].json["message"]["data"])
    assert buried.json["message"]["attributes"] == {
        "event_type": "order_created",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "on_event_notify",
        "CloudPubSubDeadLetterSourceSubscriptionProject": local.project.removeprefix("projects/"),
        "CloudPubSubDeadLetterSourceTopicPublishTime": published_at,
    }
    assert (counts["delivered"], counts["nacked"], counts["acked"], counts["dead_lettered"]) == (5, 5, 0, 1)


def test_a_message_stays_while_its_dead_letter_topic_is_gone(
    local: Clients, emulator: Emulator, endpoint: Endpoint
) -> None:
    topic, dead = local.create_topic("notifications"), local.create_topic("dead-letter")
    subscription = local.create_subscription(
        "on_event_notify",
        topic,
        push_config=push_to(endpoint),
        dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5},
    )
    local.publisher.delete_topic(topic=dead)
    endpoint.statuses = [500] * 6

    local.publish(topic, {"data": b"x"})

    attempts = [request.json["deliveryAttempt"] for request in endpoint.wait_for(7)]
    assert attempts == [1, 2, 3, 4, 5, 6, 7]
    assert settled(emulator, subscription)["acked"] == 1


def test_an_ordering_key_waits_for_its_failed_message(local: Clients, endpoint: Endpoint) -> None:
    topic = local.create_topic("dispatch")
    local.create_subscription(
        "dispatch", topic, push_config=push_to(endpoint), enable_message_ordering=True, retry_policy=QUICK
    )
    endpoint.statuses = [500]

    local.publish(topic, *({"data": b"%d" % number, "ordering_key": "order-7"} for number in range(3)))

    requests = endpoint.wait_for(4)
    assert [r.json["message"]["data"] for r in requests] == ["MA==", "MA==", "MQ==", "Mg=="]
    assert endpoint.most_at_once == 1


def test_other_ordering_keys_do_not_wait(local: Clients, endpoint: Endpoint) -> None:
    topic = local.create_topic("dispatch")
    local.create_subscription(
        "dispatch", topic, push_config=push_to(endpoint), enable_message_ordering=True, ack_deadline_seconds=600
    )
    endpoint.gate.clear()

    local.publish(topic, *({"data": b"x", "ordering_key": f"order-{number % 3}"} for number in range(6)))

    before = sorted(keys_of(endpoint.wait_for(3)))
    endpoint.gate.set()
    after = sorted(keys_of(endpoint.wait_for(6)))
    assert before == ["order-0", "order-1", "order-2"]
    assert after == ["order-0", "order-0", "order-1", "order-1", "order-2", "order-2"]


def keys_of(requests: list[Received]) -> list[str]:
    return [request.json["message"]["orderingKey"] for request in requests]


def test_no_more_pushes_are_open_at_once_than_allowed(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_emulator(max_outstanding=2) as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        with clients_of_this_environment() as clients:
            topic = clients.create_topic("analytics")
            subscription = clients.create_subscription(
                "analytics", topic, push_config=push_to(endpoint), ack_deadline_seconds=600
            )
            endpoint.gate.clear()

            clients.publish(topic, *[{"data": b"x"}] * 6)

            endpoint.wait_for(2)
            held = stats_of(emulator, subscription)
            endpoint.gate.set()
            endpoint.wait_for(6)
            assert (held["outstanding"], held["waiting"]) == (2, 4)
            assert endpoint.most_at_once == 2


def test_pushes_share_a_kept_connection(local: Clients, endpoint: Endpoint) -> None:
    topic = local.create_topic("analytics")
    local.create_subscription("analytics", topic, push_config=push_to(endpoint), enable_message_ordering=True)

    local.publish(topic, *[{"data": b"x", "ordering_key": "one after another"}] * 20)

    endpoint.wait_for(20)
    # Two workers: the one at work, and the one that stands ready.
    assert endpoint.connection_count <= 2


def test_a_server_that_hangs_up_between_requests_causes_no_failure(
    local: Clients, emulator: Emulator, endpoint: Endpoint
) -> None:
    endpoint.hangs_up = True
    topic = local.create_topic("analytics")
    subscription = local.create_subscription(
        "analytics", topic, push_config=push_to(endpoint), enable_message_ordering=True
    )

    local.publish(topic, *[{"data": b"x", "ordering_key": "one after another"}] * 10)

    endpoint.wait_for(10)
    counts = settled(emulator, subscription)
    assert (counts["delivered"], counts["acked"], counts["nacked"]) == (10, 10, 0)
    assert len(endpoint.requests) == 10


def test_a_message_waits_for_a_function_that_is_not_up_yet(local: Clients, emulator: Emulator) -> None:
    port = free_port()
    topic = local.create_topic("analytics")
    subscription = local.create_subscription(
        "analytics", topic, push_config={"push_endpoint": f"http://127.0.0.1:{port}/"}, retry_policy=QUICK
    )
    local.publish(topic, {"data": b"x"})
    assert wait_until(lambda: stats_of(emulator, subscription)["nacked"] >= 1, timeout_s=PATIENCE_S)

    with serving(port) as late:
        [request] = late.wait_for(1)
        counts = settled(emulator, subscription)

        assert request.json["message"]["data"] == "eA=="
        assert (counts["acked"], counts["delivered"] - counts["nacked"]) == (1, 1)


def test_an_endpoint_that_does_not_answer_in_time_counts_as_failed(endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    connection = EndpointConnection(f"{endpoint.url}/slow?a=b")

    status = connection.post(b"x", {}, timeout_s=0.1)

    connection.close()
    assert status is None
    assert [request.path for request in endpoint.wait_for(1)] == ["/slow?a=b"]


def test_a_changed_endpoint_receives_what_follows(local: Clients, endpoint: Endpoint) -> None:
    topic = local.create_topic("analytics")
    subscription = local.create_subscription("analytics", topic, push_config=push_to(endpoint, "/old"))
    local.publish(topic, {"data": b"x"})
    endpoint.wait_for(1)

    local.subscriber.modify_push_config(subscription=subscription, push_config=push_to(endpoint, "/new"))
    local.publish(topic, {"data": b"x"})
    endpoint.wait_for(2)
    local.subscriber.modify_push_config(subscription=subscription, push_config={})
    local.publish(topic, {"data": b"pulled"})

    assert [m.message.data for m in local.pull(subscription)] == [b"pulled"]
    assert [request.path for request in endpoint.requests] == ["/old", "/new"]


def test_publish_time_is_utc_to_the_millisecond(local: Clients, endpoint: Endpoint) -> None:
    topic = local.create_topic("analytics")
    local.create_subscription("analytics", topic, push_config=push_to(endpoint))

    with clock.frozen_at(clock.now().astimezone(UTC).replace(2026, 3, 8, 7, 30, 0, 123_456)):
        local.publish(topic, {"data": b"x"})

    [request] = endpoint.wait_for(1)
    assert request.json["message"]["publishTime"] == "2026-03-08T07:30:00.123Z"


def test_pulling_from_a_push_subscription_is_refused(local: Clients, endpoint: Endpoint) -> None:
    subscription = local.create_subscription(
        "analytics", local.create_topic("analytics"), push_config=push_to(endpoint)
    )

    with pytest.raises(exceptions.FailedPrecondition):
        local.pull(subscription)


def test_a_deleted_subscription_pushes_nothing_more(local: Clients, endpoint: Endpoint) -> None:
    topic = local.create_topic("analytics")
    subscription = local.create_subscription("analytics", topic, push_config=push_to(endpoint, "/gone"))
    local.create_subscription("audit", topic, push_config=push_to(endpoint, "/kept"))

    local.subscriber.delete_subscription(subscription=subscription)
    local.publish(topic, {"data": b"x"})

    assert [request.path for request in endpoint.wait_for(1)] == ["/kept"]
