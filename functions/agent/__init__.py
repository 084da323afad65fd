"""Deliveries in the hands of the platform's agents."""
