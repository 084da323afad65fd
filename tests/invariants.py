"""The invariant checker after a test run, as far as the builders keep what it checks."""

from shared.operations.checks import CHECKS
from shared.operations.invariants import Finding, check_all

# Built stores are verified and subscribed without licenses and subscriptions behind it.
_NOT_BUILT = {"kyc_mirrors_licenses", "subscription_flag"}


def broken_invariants() -> list[Finding]:
    """What the checker finds wrong in the database."""
    return [finding for finding in check_all(set(CHECKS) - _NOT_BUILT) if not finding.holds]


def broken() -> dict[str, list[str]]:
    """The checks that found something, with what; every check can be made."""
    findings = check_all()
    assert [finding.failure for finding in findings if finding.failure] == []
    return {found.check: [violation.subject for violation in found.first] for found in findings if not found.holds}
