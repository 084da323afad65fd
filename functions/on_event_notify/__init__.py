"""What happened becomes what people are told."""
