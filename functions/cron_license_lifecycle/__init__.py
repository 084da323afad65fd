"""Licenses as time goes by."""
