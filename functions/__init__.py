"""One folder is one Cloud Function."""
