"""The only importers of outside SDKs, each behind a small protocol of our own."""
