"""Cents are whole, and half of one rounds away from zero, once."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kit.money import dollars, half_up, percent_of


@pytest.mark.parametrize(
    ("cents", "whole"), [("0.5", 1), ("0.49", 0), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("-2.5", -3), ("7", 7)]
)
def test_half_a_cent_rounds_away_from_zero(cents, whole):
    assert half_up(Decimal(cents)) == whole


@given(st.integers(0, 10**12), st.decimals(0, 100, places=4))
def test_a_percentage_is_off_by_at_most_half_a_cent(cents, percent):
    exact = Fraction(cents) * Fraction(percent) / 100

    assert abs(Fraction(percent_of(cents, percent)) - exact) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "$0.00"), (5, "$0.05"), (123_450, "$1,234.50"), (-7, "-$0.07"), (-123_456, "-$1,234.56")]
)
def test_amounts_read_as_people_write_them(cents, text):
    assert dollars(cents) == text
