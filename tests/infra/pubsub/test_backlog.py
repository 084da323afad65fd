"""The bookkeeping of one subscription, with time as a number."""

from datetime import UTC, datetime

from infra.local.pubsub.backlog import Backlog, Delivery
from infra.local.pubsub.message import Draft, Message
from infra.local.pubsub.policy import DeliveryPolicy

SUBSCRIPTION = "projects/shop/subscriptions/orders-worker"


def a_message(data: str, *, key: str = "") -> Message:
    draft = Draft(data.encode(), {}, key)
    return Message(data, "projects/shop/topics/orders", draft, datetime(2026, 3, 8, tzinfo=UTC))


def a_backlog(*messages: Message, due_at_s: float = 0.0, **policy: float | bool | None) -> Backlog:
    backlog = Backlog(SUBSCRIPTION, DeliveryPolicy(**policy))  # type: ignore[arg-type]  # names are the test's
    for message in messages:
        backlog.add(message, due_at_s=due_at_s)
    return backlog


def names(deliveries: list[Delivery]) -> list[str]:
    return [delivery.message.id for delivery in deliveries]


def fail(backlog: Backlog, *, now_s: float) -> list[Delivery]:
    """Take one and give it back; what is exhausted by that."""
    [delivery] = backlog.take(now_s, 1)
    return backlog.nack([delivery.ack_id], now_s).exhausted


def test_messages_are_handed_out_oldest_first_up_to_the_limit() -> None:
    backlog = a_backlog(*map(a_message, "abc"))

    taken = backlog.take(0.0, 2)

    assert names(taken) == ["a", "b"]
    assert [delivery.ack_id for delivery in taken] == [f"{SUBSCRIPTION}:1", f"{SUBSCRIPTION}:2"]
    assert (backlog.outstanding_count, backlog.waiting_count) == (2, 1)


def test_a_held_message_is_not_handed_out_early() -> None:
    backlog = a_backlog(a_message("a"), due_at_s=5.0)

    assert backlog.take(4.999, 1) == []
    assert backlog.next_change_at_s() == 5.0
    assert names(backlog.take(5.0, 1)) == ["a"]


def test_backoff_doubles_from_the_minimum_to_the_maximum() -> None:
    policy = DeliveryPolicy(minimum_backoff_s=10, maximum_backoff_s=600)

    assert [policy.backoff_s(failures) for failures in range(1, 9)] == [10, 20, 40, 80, 160, 320, 600, 600]
    assert policy.backoff_s(10_000) == 600


def test_without_a_retry_policy_redelivery_is_immediate() -> None:
    backlog = a_backlog(a_message("a"))

    assert fail(backlog, now_s=7.0) == []

    assert names(backlog.take(7.0, 1)) == ["a"]


def test_a_failed_message_waits_for_its_backoff() -> None:
    backlog = a_backlog(a_message("a"), minimum_backoff_s=10, maximum_backoff_s=600)

    fail(backlog, now_s=0.0)
    fail(backlog, now_s=10.0)

    assert backlog.take(29.9, 1) == []
    [third] = backlog.take(30.0, 1)
    assert third.attempt == 3


def test_the_last_attempt_exhausts_a_message() -> None:
    backlog = a_backlog(a_message("a"), maximum_attempts=5)

    outcomes = [names(fail(backlog, now_s=0.0)) for _ in range(5)]

    assert outcomes == [[], [], [], [], ["a"]]
    assert (backlog.outstanding_count, backlog.waiting_count) == (0, 0)


def test_a_message_is_late_at_its_deadline_and_not_before() -> None:
    backlog = a_backlog(a_message("a"), ack_deadline_s=10)
    backlog.take(0.0, 1)

    assert backlog.next_change_at_s() == 10.0
    assert backlog.expire(9.9).count == 0
    assert backlog.expire(10.0).count == 1
    assert [delivery.attempt for delivery in backlog.take(10.0, 1)] == [2]


def test_an_acknowledgement_that_comes_late_settles_nothing() -> None:
    backlog = a_backlog(a_message("a"), ack_deadline_s=10)
    [late] = backlog.take(0.0, 1)
    backlog.expire(10.0)
    [current] = backlog.take(10.0, 1)

    assert backlog.ack([late.ack_id]) == 0
    assert backlog.nack([late.ack_id], 10.0).count == 0

    assert backlog.ack([current.ack_id]) == 1


def test_an_extended_deadline_counts_instead_of_the_first() -> None:
    backlog = a_backlog(a_message("a"), ack_deadline_s=10)
    [delivery] = backlog.take(0.0, 1)

    backlog.extend([delivery.ack_id], 60.0)

    assert backlog.expire(59.9).count == 0
    assert backlog.ack([delivery.ack_id]) == 1


def test_a_shortened_deadline_counts_instead_of_the_first() -> None:
    backlog = a_backlog(a_message("a"), ack_deadline_s=10)
    [delivery] = backlog.take(0.0, 1)

    backlog.extend([delivery.ack_id], 3.0)

    assert backlog.next_change_at_s() == 3.0
    assert backlog.expire(3.0).count == 1


def test_an_ordering_key_has_one_message_out_at_a_time() -> None:
    backlog = a_backlog(
        a_message("a1", key="a"), a_message("a2", key="a"), a_message("b1", key="b"), a_message("free"), ordered=True
    )

    first = backlog.take(0.0, 10)
    backlog.ack([first[0].ack_id])

    assert names(first) == ["a1", "b1", "free"]
    assert names(backlog.take(0.0, 10)) == ["a2"]


def test_a_failed_message_holds_up_its_ordering_key() -> None:
    backlog = a_backlog(
        a_message("a1", key="a"), a_message("a2", key="a"), ordered=True, minimum_backoff_s=10, maximum_backoff_s=10
    )

    fail(backlog, now_s=0.0)

    assert backlog.take(9.9, 10) == []
    assert names(backlog.take(10.0, 10)) == ["a1"]


def test_an_exhausted_message_lets_its_ordering_key_go_on() -> None:
    backlog = a_backlog(a_message("a1", key="a"), a_message("a2", key="a"), ordered=True, maximum_attempts=5)

    exhausted = [names(fail(backlog, now_s=0.0)) for _ in range(5)][-1]

    assert exhausted == ["a1"]
    assert names(backlog.take(0.0, 10)) == ["a2"]


def test_without_ordering_the_key_means_nothing() -> None:
    backlog = a_backlog(a_message("a1", key="a"), a_message("a2", key="a"))

    assert names(backlog.take(0.0, 10)) == ["a1", "a2"]
