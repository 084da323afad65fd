"""Reviews of vendors and products."""
