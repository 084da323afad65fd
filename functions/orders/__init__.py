"""Buyer and vendor sides of an order."""
