"""What the functions need around them, made and kept in step by the official clients. Repeating it changes nothing."""
