"""How a subscription delivers: its deadlines, its backoff, its patience."""

from dataclasses import dataclass

MIN_ACK_DEADLINE_S = 10
MAX_ACK_DEADLINE_S = 600

# A push subscription without a retry policy is throttled by Google from 100 ms on; an endpoint that is down
# must not be called in a tight loop here either.
PUSH_FLOOR_S = 0.1


@dataclass(frozen=True)
class DeliveryPolicy:
    """Settings of one subscription, in seconds and counts.

    `maximum_attempts` is None where no dead-letter topic takes the message after that many failures.
    """

    ack_deadline_s: float = MIN_ACK_DEADLINE_S
    minimum_backoff_s: float = 0.0
    maximum_backoff_s: float = 0.0
    maximum_attempts: int | None = None
    ordered: bool = False

    def backoff_s(self, failures: int) -> float:
        """Pause before the next attempt: the minimum, doubled with each failure after the first, up to the maximum."""
        # Beyond 2**20 any allowed minimum has long reached the maximum of 600 s.
        return float(min(self.minimum_backoff_s * 2 ** min(failures - 1, 20), self.maximum_backoff_s))

    def is_exhausted(self, failures: int) -> bool:
        """Whether a message that failed this often goes to the dead-letter topic."""
        return self.maximum_attempts is not None and failures >= self.maximum_attempts
