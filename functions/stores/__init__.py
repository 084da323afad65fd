"""Stores: their profile and their people."""
