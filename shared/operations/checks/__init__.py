"""What must always hold, as SQL that finds what does not: one module for each part of the business.

A statement returns a row for each violation: `subject`, the row that is wrong, and `detail`, what of it.
It may use `:now` and `:today` (in the launch state's zone).
"""

from collections.abc import Mapping

from shared.operations.checks import accounts, catalogue, money, outbox, ratings, stock

CHECKS: Mapping[str, str] = {
    **stock.CHECKS,
    **money.CHECKS,
    **accounts.CHECKS,
    **outbox.CHECKS,
    **ratings.CHECKS,
    **catalogue.CHECKS,
}
