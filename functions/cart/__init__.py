"""The buyer's cart: the authoritative quote."""
