"""Who people are, which stores they act for, and what they may do there."""
