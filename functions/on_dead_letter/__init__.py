"""The end of every subscription."""
