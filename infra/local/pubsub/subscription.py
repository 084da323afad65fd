"""A subscription: its settings and its deliveries."""

from collections.abc import Collection
from dataclasses import dataclass

from google.pubsub_v1 import types

from infra.local.pubsub.errors import FailedPrecondition, InvalidArgument
from infra.local.pubsub.mailbox import Mailbox
from infra.local.pubsub.policy import MAX_ACK_DEADLINE_S


@dataclass
class Subscription:
    """A subscription as it is now, defaults filled in."""

    config: types.Subscription
    mailbox: Mailbox

    @property
    def name(self) -> str:
        return str(self.config.name)

    @property
    def push_endpoint(self) -> str:
        """Where to push; empty for a subscription that is pulled or gone."""
        return "" if self.mailbox.is_closed else str(self.config.push_config.push_endpoint)

    @property
    def has_attempts(self) -> bool:
        """Whether deliveries say which attempt they are: only where a dead-letter policy counts them."""
        return "dead_letter_policy" in self.config

    def check_pullable(self) -> None:
        """Raises FailedPrecondition where messages are pushed."""
        if self.push_endpoint:
            raise FailedPrecondition("This method is not supported for push subscriptions.")

    def ack(self, ack_ids: Collection[str]) -> None:
        """Settle deliveries; those late or settled already are ignored. Raises InvalidArgument."""
        self._check_ack_ids(ack_ids)
        self.mailbox.ack(ack_ids)

    def set_deadline(self, ack_ids: Collection[str], *, seconds: int) -> None:
        """Give deliveries `seconds` from now; 0 gives them back at once. Raises InvalidArgument."""
        self._check_ack_ids(ack_ids)
        if not 0 <= seconds <= MAX_ACK_DEADLINE_S:
            raise InvalidArgument(f"ack_deadline_seconds must be between 0 and {MAX_ACK_DEADLINE_S}")
        if seconds:
            self.mailbox.extend(ack_ids, seconds=seconds)
        else:
            self.mailbox.nack(ack_ids)

    def _check_ack_ids(self, ack_ids: Collection[str]) -> None:
        if not ack_ids:
            raise InvalidArgument("No ack ids specified.")
        for ack_id in ack_ids:
            name, _, number = ack_id.rpartition(":")
            if name != self.name or not number.isdecimal():
                raise InvalidArgument(f"Invalid ack id (ack_id={ack_id})")
