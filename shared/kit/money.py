"""Money is integer cents. This is the only place where a fraction of a cent is rounded."""

from decimal import ROUND_HALF_UP, Decimal

_HUNDRED = Decimal(100)


def half_up(cents: Decimal) -> int:
    """Whole cents nearest to `cents`; exactly half a cent rounds away from zero."""
    return int(cents.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def percent_of(cents: int, percent: Decimal) -> int:
    """`percent` (0-100) of an amount, rounded half-up to the cent."""
    return half_up(Decimal(cents) * percent / _HUNDRED)


def dollars(cents: int) -> str:
    """An amount for people to read, such as `$1,234.50`."""
    sign, whole = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}${whole // 100:,}.{whole % 100:02d}"
