"""What the use cases need from outside, as Protocols. Their docstrings are contracts; `tests/adapters` holds them."""
