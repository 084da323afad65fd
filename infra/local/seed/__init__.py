"""A believable marketplace for the local stack: always the same stores, products and promos, and orders in every state.

Stores, people and products are written at once, through the models; cards, subscriptions and orders
come about as they do in life, through the functions of their contexts.
"""
