"""What the platform's operators look after."""
