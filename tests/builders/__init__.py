"""Builders: real rows with vivid defaults, overridden by keyword. Each commits what it builds."""
