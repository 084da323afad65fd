"""Looking up addresses."""
