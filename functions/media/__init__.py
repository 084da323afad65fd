"""Uploads and files of a store."""
