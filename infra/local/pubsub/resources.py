"""What a topic or subscription may be: names, bounds and defaults, as the service checks them on the way in.

Bounds: https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1; wordings and the choice between
INVALID_ARGUMENT and OUT_OF_RANGE are those of Google's emulator.
"""

import re
from collections.abc import Iterable
from datetime import timedelta

from google.pubsub_v1 import types

from infra.local.pubsub.errors import InvalidArgument, OutOfRange, Unimplemented
from infra.local.pubsub.policy import MAX_ACK_DEADLINE_S, MIN_ACK_DEADLINE_S, PUSH_FLOOR_S, DeliveryPolicy

DELETED_TOPIC = "_deleted-topic_"

_RESOURCE_NAME = re.compile(r"projects/[^/]+/(topics|subscriptions)/(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}")
_PROJECT_NAME = re.compile(r"projects/[^/]+")
_ENDPOINT = re.compile(r"https?://[^/\s]+\S*")

_DEFAULT_RETENTION = timedelta(days=7)
_DEFAULT_ATTEMPTS = 5
_DEFAULT_MINIMUM_BACKOFF = timedelta(seconds=10)
_MAXIMUM_BACKOFF = timedelta(seconds=600)

_MUTABLE = {
    "ack_deadline_seconds",
    "dead_letter_policy",
    "expiration_policy",
    "labels",
    "message_retention_duration",
    "push_config",
    "retain_acked_messages",
    "retry_policy",
}
_UNSUPPORTED = (
    "filter",
    "enable_exactly_once_delivery",
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "message_transforms",
)


def check_name(kind: str, name: str) -> None:
    """Raises InvalidArgument unless `name` is a full name of this kind: `topics` or `subscriptions`."""
    match = _RESOURCE_NAME.fullmatch(name)
    if match is None or match[1] != kind:
        raise InvalidArgument(f"Invalid [{kind}] name: (name={name})")


def check_project(name: str) -> None:
    """Raises InvalidArgument unless `name` is `projects/…`."""
    if _PROJECT_NAME.fullmatch(name) is None:
        raise InvalidArgument(f"Invalid [projects] name: (name={name})")


def complete(subscription: types.Subscription) -> types.Subscription:
    """A copy with Google's defaults filled in.

    Raises InvalidArgument or OutOfRange for a value beyond its bounds, Unimplemented for what is left out here.
    """
    for name in _UNSUPPORTED:
        if getattr(subscription, name):
            raise Unimplemented(f"The local Pub/Sub does not do {name}")
    done = types.Subscription(subscription)
    done.push_config = types.PushConfig(subscription.push_config)
    done.ack_deadline_seconds = done.ack_deadline_seconds or MIN_ACK_DEADLINE_S
    done.message_retention_duration = done.message_retention_duration or _DEFAULT_RETENTION
    _complete_retry(done)
    _complete_dead_letter(done)
    _check_bounds(done)
    return done


def changed(current: types.Subscription, wanted: types.Subscription, paths: Iterable[str]) -> types.Subscription:
    """`current` with the fields of the update mask taken from `wanted`, completed. Raises as `complete` does."""
    paths = list(paths)
    if not paths:
        raise InvalidArgument("The update_mask must be set, and must contain a non-empty paths list.")
    merged = types.Subscription(current)
    for path in paths:
        if path not in types.Subscription.meta.fields:
            raise InvalidArgument(f"Invalid update_mask: {path} is not a known Subscription field.")
        if path not in _MUTABLE:
            raise InvalidArgument(f"Invalid update_mask: the {path} field in the Subscription is not mutable.")
        setattr(merged, path, getattr(wanted, path) if path in wanted else None)
    return complete(merged)


def policy_of(subscription: types.Subscription, *, can_dead_letter: bool) -> DeliveryPolicy:
    """How a completed subscription delivers; without its dead-letter topic it keeps on trying."""
    minimum_s = maximum_s = 0.0
    if "retry_policy" in subscription:
        minimum_s = subscription.retry_policy.minimum_backoff.total_seconds()
        maximum_s = subscription.retry_policy.maximum_backoff.total_seconds()
    if subscription.push_config.push_endpoint:
        minimum_s, maximum_s = max(minimum_s, PUSH_FLOOR_S), max(maximum_s, PUSH_FLOOR_S)
    return DeliveryPolicy(
        ack_deadline_s=subscription.ack_deadline_seconds,
        minimum_backoff_s=minimum_s,
        maximum_backoff_s=maximum_s,
        maximum_attempts=subscription.dead_letter_policy.max_delivery_attempts if can_dead_letter else None,
        ordered=subscription.enable_message_ordering,
    )


def _complete_retry(subscription: types.Subscription) -> None:
    if "retry_policy" not in subscription:
        return
    retry = subscription.retry_policy
    if "minimum_backoff" not in retry:
        retry.minimum_backoff = _DEFAULT_MINIMUM_BACKOFF
    if "maximum_backoff" not in retry:
        retry.maximum_backoff = _MAXIMUM_BACKOFF


def _complete_dead_letter(subscription: types.Subscription) -> None:
    if "dead_letter_policy" in subscription:
        policy = subscription.dead_letter_policy
        policy.max_delivery_attempts = policy.max_delivery_attempts or _DEFAULT_ATTEMPTS


def _check_bounds(subscription: types.Subscription) -> None:
    if not MIN_ACK_DEADLINE_S <= subscription.ack_deadline_seconds <= MAX_ACK_DEADLINE_S:
        raise InvalidArgument("ack_deadline_secs out of bounds")
    endpoint = subscription.push_config.push_endpoint
    if endpoint and _ENDPOINT.fullmatch(endpoint) is None:
        raise InvalidArgument("Unsupported push_endpoint")
    if "retry_policy" in subscription:
        _check_retry(subscription.retry_policy)
    if "dead_letter_policy" in subscription:
        _check_attempts(subscription.dead_letter_policy.max_delivery_attempts)


def _check_retry(retry: types.RetryPolicy) -> None:
    for name, backoff in (("minimum", retry.minimum_backoff), ("maximum", retry.maximum_backoff)):
        if not timedelta() <= backoff <= _MAXIMUM_BACKOFF:
            raise InvalidArgument(f"The value for {name}_backoff must be between 0s and 600s.")
    if retry.maximum_backoff < retry.minimum_backoff:
        raise InvalidArgument("The value for maximum_backoff must not be below minimum_backoff.")


def _check_attempts(attempts: int) -> None:
    if not 5 <= attempts <= 100:
        raise OutOfRange(f"max_delivery_attempts must be between 5 and 100. You passed {attempts}.")
