"""Plumbing without a word of the marketplace."""
