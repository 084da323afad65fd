"""State licenses of stores, their verification, and what it means for the store."""
