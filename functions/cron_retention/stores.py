"""Stores that were deleted a month ago are erased: each context that keeps something of a store has its say."""

from collections import Counter
from uuid import UUID

from shared.billing import erasure as billing
from shared.catalog import erasure as catalog
from shared.identity.erasure import erase, list_due
from shared.kit import stopping
from shared.kit.db import read_only, retrying, transaction
from shared.kit.errors import NotFound
from shared.kit.logging import log, metric
from shared.licensing import erasure as licensing
from shared.orders import erasure as orders
from shared.reviews import erasure as reviews

TRACES = tuple(context.TRACES for context in (orders, reviews, billing, catalog, licensing))

MOST = 1_000
"""Stores that one run takes up, those that were deleted longest ago first; the next day takes up the others."""


def erase_stores() -> dict[str, int]:
    """Erase the stores that are due, one by one: how many are gone, nameless, waiting for their files, a rival's
    by now, and failed.
    """
    with read_only() as session:
        due = list_due(session, MOST)
    done: Counter[str] = Counter(deleted=0, anonymised=0, waiting=0, skipped=0, failed=0)
    for store_id in due:
        if stopping.is_asked():
            break
        done[_erase_one(store_id)] += 1
    return {f"stores_{outcome}": count for outcome, count in done.items()}


def _erase_one(store_id: UUID) -> str:
    """What became of one store. Its failure is told and does not stop the rest."""
    try:
        return retrying(lambda: _in_transaction(store_id))
    except NotFound:
        return "skipped"
    except Exception:
        log.exception("store_erasure_failed", store_id=str(store_id))
        metric("store_erasure_failed")
        return "failed"


def _in_transaction(store_id: UUID) -> str:
    with transaction() as session:
        return erase(session, store_id, TRACES).value
