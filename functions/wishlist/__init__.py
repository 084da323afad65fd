"""What a buyer store would like to have."""
