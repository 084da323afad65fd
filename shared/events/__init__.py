"""The typed catalogue of events: what can happen, to which aggregate, and which topics hear of it."""
