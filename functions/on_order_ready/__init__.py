"""A ready order finds its agent."""
