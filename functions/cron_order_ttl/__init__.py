"""Orders that their vendors leave unanswered."""
