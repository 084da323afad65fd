"""Uploads and deletions that stopped half way."""
