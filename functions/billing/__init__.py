"""What vendors pay: plans, cards, subscriptions, charges."""
