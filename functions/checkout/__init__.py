"""Checkout: a cart becomes vendor orders, once."""
