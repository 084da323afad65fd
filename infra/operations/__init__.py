"""What operators do from a terminal, on the local stack's database or the one that PF_DATABASE_URL names."""
