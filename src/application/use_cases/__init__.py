"""One conversation, one file. Each use case's fields are its dependencies, and `__call__` is the conversation."""
