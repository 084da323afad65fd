"""What people are told, to be read and ticked off."""
