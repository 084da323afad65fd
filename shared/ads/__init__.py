"""Ads: what a signed token proves, and which ad an order is owed to."""
