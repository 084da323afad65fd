"""Addresses: suggested while somebody types, told by their parts, and put on the map. Answers are kept for a day."""
