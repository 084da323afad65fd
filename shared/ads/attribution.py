"""Which ad a sale is owed to: the best of the touches that led to its vendor or product.

Best is a click over an impression, then the newest, then the lowest SHA-256 of the token id, so that
the same touches always give the same answer.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from shared.ads.claims import AdClaims, AdEvent, TargetType

MAX_KEPT = 50


class Reason(StrEnum):
    """What decided for a touch."""

    ONLY_CANDIDATE = "only_candidate"
    CLICK_OVER_IMPRESSION = "click_over_impression"
    NEWEST = "newest"
    LOWEST_HASH = "lowest_hash"
    STORE_FALLBACK = "store_fallback"
    RETRIED_ORDER = "retried_order"


@dataclass(frozen=True, slots=True)
class Touch:
    """An ad shown to or clicked by a buyer, as a verified token proves; `token` is that token."""

    token: str
    token_id: UUID
    ad_id: UUID
    creative_id: UUID
    target_type: TargetType
    target_id: UUID
    event: AdEvent
    occurred_at: datetime

    @classmethod
    def of(cls, token: str, claims: AdClaims) -> Self:
        """The touch that a token with these claims proves."""
        return cls(token, **{name: getattr(claims, name) for name in _CLAIMED})

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """The touch that `as_json` told."""
        return cls(
            row["token"],
            UUID(row["token_id"]),
            UUID(row["ad_id"]),
            UUID(row["creative_id"]),
            TargetType(row["target_type"]),
            UUID(row["target_id"]),
            AdEvent(row["event"]),
            datetime.fromisoformat(row["occurred_at"]),
        )

    def as_json(self) -> dict[str, Any]:
        """As it is kept on a cart."""
        return {"token": self.token, **self.told(), "target_type": self.target_type, "target_id": str(self.target_id)}

    def told(self) -> dict[str, Any]:
        """As it is told in a snapshot."""
        return {
            "token_id": str(self.token_id),
            "ad_id": str(self.ad_id),
            "creative_id": str(self.creative_id),
            "event": self.event,
            "occurred_at": self.occurred_at.isoformat(),
        }

    @property
    def target(self) -> tuple[TargetType, UUID]:
        return self.target_type, self.target_id

    @property
    def rank(self) -> tuple[bool, float, str]:
        """The best touch has the lowest."""
        digest = hashlib.sha256(str(self.token_id).encode()).hexdigest()
        return self.event is not AdEvent.CLICK, -self.occurred_at.timestamp(), digest


_CLAIMED = ("token_id", "ad_id", "creative_id", "target_type", "target_id", "event", "occurred_at")


def folded(touches: Iterable[Touch]) -> list[Touch]:
    """The newest touch of each event and target, the best first, at most fifty."""
    newest: dict[tuple[AdEvent, tuple[TargetType, UUID]], Touch] = {}
    for touch in sorted(touches, key=lambda touch: touch.rank):
        newest.setdefault((touch.event, touch.target), touch)
    return list(newest.values())[:MAX_KEPT]


def attribution_to(candidates: Sequence[Touch], *, because: Reason | None = None) -> dict[str, Any] | None:
    """The snapshot of the best candidate, and why it was chosen; none without candidates."""
    if not candidates:
        return None
    ranked = sorted(candidates, key=lambda touch: touch.rank)
    return {
        **ranked[0].told(),
        "reason": because or _reason(ranked),
        "candidates": [str(touch.token_id) for touch in ranked],
    }


def carried_over(snapshot: dict[str, Any] | None) -> dict[str, Any] | None:
    """The snapshot for what is ordered again: owed to the same ad, for that reason; `first_reason` decided at first."""
    return snapshot and {"first_reason": snapshot["reason"], **snapshot, "reason": Reason.RETRIED_ORDER}


def _reason(ranked: Sequence[Touch]) -> Reason:
    if len(ranked) == 1:
        return Reason.ONLY_CANDIDATE
    best, second = ranked[:2]
    if best.event is not second.event:
        return Reason.CLICK_OVER_IMPRESSION
    return Reason.NEWEST if best.occurred_at != second.occurred_at else Reason.LOWEST_HASH
