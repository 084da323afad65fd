"""Uploaded files: their life from presign to deletion, and what uses them."""
