"""What is served under fire: cart and checkout, with keys that come free soon after their holder was killed.

Thirty seconds of lease are right in production and long in a test. With three, a slow request may even
lose its key to a repeat while it still works, which must do no harm either.
"""

from commerce_server import app

from shared.kit import idempotency

idempotency.LEASE_MS = 3_000

__all__ = ["app"]
