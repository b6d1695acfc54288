"""The checks of `ostiary doctor`: each a small function that says how one thing is, and what to do about it."""
