"""From cart to payout: the quote, its conversion, the order's life, and the money."""
