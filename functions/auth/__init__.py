"""Registering, signing in and staying signed in."""
