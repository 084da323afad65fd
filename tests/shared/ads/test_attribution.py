"""Which touch a sale is owed to: the order of preference, folding and its end."""

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from shared.ads.attribution import MAX_KEPT, Reason, Touch, attribution_to, folded
from shared.ads.claims import AdEvent, TargetType

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SHOP, OTHER_SHOP = uuid4(), uuid4()
CLICK, IMPRESSION = AdEvent.CLICK, AdEvent.IMPRESSION


def a_touch(event=CLICK, *, minutes=0, target_id=SHOP, target_type=TargetType.STORE, token_id=None):
    token_id = token_id or uuid4()
    return Touch(
        f"token-{token_id}",
        token_id,
        uuid4(),
        uuid4(),
        target_type,
        target_id,
        event,
        NOON + timedelta(minutes=minutes),
    )


def by_hash(*ids: UUID):
    return sorted(ids, key=lambda token_id: hashlib.sha256(str(token_id).encode()).hexdigest())


LOW, HIGH = by_hash(uuid4(), uuid4())


@pytest.mark.parametrize(
    ("better", "worse", "reason"),
    [
        (a_touch(CLICK, minutes=-60), a_touch(IMPRESSION), Reason.CLICK_OVER_IMPRESSION),
        (a_touch(CLICK, minutes=1), a_touch(CLICK), Reason.NEWEST),
        (a_touch(IMPRESSION, minutes=1), a_touch(IMPRESSION), Reason.NEWEST),
        (a_touch(CLICK, token_id=LOW), a_touch(CLICK, token_id=HIGH), Reason.LOWEST_HASH),
    ],
)
def test_the_best_is_a_click_then_the_newest_then_the_lowest_hash(better, worse, reason):
    for candidates in ([better, worse], [worse, better]):
        snapshot = attribution_to(candidates)

        assert snapshot == {
            "token_id": str(better.token_id),
            "ad_id": str(better.ad_id),
            "creative_id": str(better.creative_id),
            "event": better.event,
            "occurred_at": better.occurred_at.isoformat(),
            "reason": reason,
            "candidates": [str(better.token_id), str(worse.token_id)],
        }


def test_one_candidate_is_chosen_for_being_the_only_one_and_none_gives_none():
    touch = a_touch(IMPRESSION)

    assert attribution_to([touch])["reason"] == "only_candidate"
    assert attribution_to([touch], because=Reason.STORE_FALLBACK)["reason"] == "store_fallback"
    assert attribution_to([]) is None


def test_repeats_fold_to_the_newest_of_each_event_and_target():
    old, new = a_touch(CLICK), a_touch(CLICK, minutes=5)
    shown = a_touch(IMPRESSION, minutes=9)
    elsewhere = a_touch(CLICK, minutes=-5, target_id=OTHER_SHOP)
    as_product = a_touch(CLICK, minutes=-9, target_type=TargetType.PRODUCT)

    for offered in permutations([old, new, shown, elsewhere, as_product]):
        assert folded(offered) == [new, elsewhere, as_product, shown]


def test_at_most_fifty_are_kept_the_best_of_them():
    clicks = [a_touch(CLICK, minutes=n, target_id=uuid4()) for n in range(40)]
    shown = [a_touch(IMPRESSION, minutes=n, target_id=uuid4()) for n in range(40)]

    kept = folded([*shown, *clicks])

    assert len(kept) == MAX_KEPT == 50
    assert kept == [*reversed(clicks), *reversed(shown[30:])]


def test_what_a_cart_keeps_is_read_back_the_same():
    touch = a_touch(IMPRESSION, minutes=3)

    assert Touch.from_json(touch.as_json()) == touch
