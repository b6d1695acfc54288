"""Password hashing: the algorithm, and the slots it runs in."""
