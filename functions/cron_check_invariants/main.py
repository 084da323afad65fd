"""Looks every night whether what must always hold does, tells what does not, and repairs nothing.

The checks are in shared.operations.checks.
"""

from shared.kit.jobs import Job
from shared.operations.invariants import check_all

job = Job("cron_check_invariants")


@job.run
def check() -> dict[str, int]:
    """Run all checks; how many hold, are broken and could not be made, and how many rows are wrong in all."""
    findings = check_all()
    return {
        "hold": sum(finding.holds for finding in findings),
        "broken": sum(finding.count > 0 for finding in findings),
        "unchecked": sum(finding.failure is not None for finding in findings),
        "violations": sum(finding.count for finding in findings),
    }


main = job.entry_point()
