"""The transport manifest of an order: what it says, how it looks on paper, and where it is filed."""
