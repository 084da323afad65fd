"""What must always hold is looked at every night."""
