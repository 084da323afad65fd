"""What buyers think of the vendors and the products that they were brought."""
