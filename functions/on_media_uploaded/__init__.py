"""Uploads become what is shown."""
