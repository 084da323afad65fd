"""The business of PackFinderz, its outside integrations and the plumbing under both."""
