"""What operators need: the audit log, flags, dead letters, invariants."""
