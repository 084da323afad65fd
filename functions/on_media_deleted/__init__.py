"""Files that go."""
