"""What vendors pay the platform: plans, cards, subscriptions, charges."""
