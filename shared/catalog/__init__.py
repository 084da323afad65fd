"""What vendors offer, and who can see it."""
