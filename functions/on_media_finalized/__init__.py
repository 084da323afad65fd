"""Uploads confirmed."""
