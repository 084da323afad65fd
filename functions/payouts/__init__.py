"""Orders and money as the platform's operators see them."""
