"""Licenses of stores and their verification."""
