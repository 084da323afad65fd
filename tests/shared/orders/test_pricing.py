"""Cents, tiers and promos, by hand-computed values and by properties."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.catalog.models import PromoKind
from shared.orders.pricing import LinePrice, Tier, price_line, promo_discount, sum_lines

TIERS = [Tier(50, Decimal("10")), Tier(10, Decimal("2.5")), Tier(100, Decimal("12.3456"))]


@pytest.mark.parametrize(
    ("qty", "subtotal", "discount"),
    [
        (9, 9 * 333, 0),
        (10, 3_330, 83),  # 2.5 % of 3330 is 83.25
        (49, 16_317, 408),  # 407.925
        (50, 16_650, 1_665),
        (100, 33_300, 4_111),  # 12.3456 % is 4111.0848
    ],
)
def test_the_greatest_tier_that_is_reached_prices_the_whole_line(qty, subtotal, discount):
    price = price_line(333, qty, TIERS)

    assert (price.subtotal_cents, price.discount_cents, price.total_cents) == (subtotal, discount, subtotal - discount)


def test_half_a_cent_rounds_up():
    assert price_line(50, 1, [Tier(1, Decimal(1))]).discount_cents == 1
    assert price_line(49, 1, [Tier(1, Decimal(1))]).discount_cents == 0


@pytest.mark.parametrize(
    ("kind", "value", "base", "off"),
    [
        (PromoKind.PERCENT, "15", 3_330, 500),  # 499.5
        (PromoKind.PERCENT, "100", 3_330, 3_330),
        (PromoKind.FIXED, "500", 3_330, 500),
        (PromoKind.FIXED, "5000", 3_330, 3_330),
        (PromoKind.FIXED, "5000", 0, 0),
    ],
)
def test_a_promo_never_takes_more_than_there_is(kind, value, base, off):
    assert promo_discount(kind, Decimal(value), base) == off


@given(
    lines=st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**4), st.decimals(0, 100, places=4))),
    promo=st.integers(0, 10**12),
)
def test_totals_always_add_up_and_are_never_negative(lines, promo):
    prices = [price_line(cents, qty, [Tier(1, percent)]) for cents, qty, percent in lines]

    totals = sum_lines(prices, promo)

    assert totals.subtotal_cents == sum(cents * qty for cents, qty, _ in lines)
    assert totals.total_cents == max(0, sum(price.total_cents for price in prices) - promo)
    assert all(0 <= price.discount_cents <= price.subtotal_cents for price in prices)


def test_a_line_without_a_tier_has_no_discount():
    assert price_line(2_500, 3, []) == LinePrice(None, 7_500, 0)
