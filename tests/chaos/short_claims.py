"""The local gateway, with functions whose claims end soon after whoever holds them was lost.

A minute of lease and of claim on a mail are right in production, where ten deliveries take four, and long for chaos.
Run by itself, as the package `tests` takes the servers' addresses out of the environment.
"""

import sys
from datetime import timedelta

from infra.local.gateway.__main__ import main
from shared.kit import consumer
from shared.notifications import deliveries

if __name__ == "__main__":
    consumer.LEASE_S = 3
    deliveries.CLAIMED_FOR = timedelta(seconds=3)
    sys.exit(main())
