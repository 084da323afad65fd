"""Seals every second factor with the present key: `python -m infra.operations.reseal`, with PF_MFA_KEYS set.

Until it has run, a key that sealed some may not be retired; whoever signs in with a code does it for themselves.
"""

import sys
from collections.abc import Iterator

from infra.operations.database import Unreachable, connected
from shared.identity.resealing import Resealed, reseal
from shared.kit.config import SettingMissing
from shared.kit.db import transaction


def main(_: list[str]) -> int:
    try:
        with connected("reseal"):
            batches = list(_batches())
    except (Unreachable, SettingMissing) as error:
        print(error, file=sys.stderr)
        return 1
    lost = sum(batch.lost for batch in batches)
    print(f"{sum(batch.sealed for batch in batches)} second factors sealed anew, {lost} that no key opens.")
    return 1 if lost else 0


def _batches() -> Iterator[Resealed]:
    """Each in a transaction of its own, so that nobody who signs in waits for long."""
    after = None
    while True:
        with transaction() as session:
            batch = reseal(session, after)
        yield batch
        if batch.last_id is None:
            return
        after = batch.last_id


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
