"""Looks whether what must always hold does: `python -m infra.operations.check_invariants [CHECK …]`.

Ends with 1 when something does not, or could not be looked at.
"""

import sys

from infra.operations.database import Unreachable, connected
from shared.operations.checks import CHECKS
from shared.operations.invariants import Finding, check_all


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        print(f"There is no check {unknown[0]!r}; there are {', '.join(CHECKS)}.", file=sys.stderr)
        return 2
    try:
        with connected("check_invariants"):
            findings = check_all(names or CHECKS)
    except Unreachable as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(line for finding in findings for line in lines_of(finding)))
    return 0 if all(finding.holds for finding in findings) else 1


def lines_of(finding: Finding) -> list[str]:
    """What a finding is to a person."""
    if finding.failure is not None:
        return [f"  ?  {finding.check}: could not be looked at ({finding.failure})"]
    if finding.holds:
        return [f"  ✓  {finding.check}"]
    named = [f"       {violation.subject}  {violation.detail}" for violation in finding.first]
    more = [f"       and {finding.count - len(named)} more"] if finding.count > len(named) else []
    return [f"  ✗  {finding.check}: {finding.count} violations", *named, *more]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
