"""What is past its time is deleted."""
