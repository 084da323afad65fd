"""What is made of uploads for reading: smaller, without metadata, of few types. Files in, files out."""
