"""What vendors offer and what buyers find of it."""
