"""Reports of what became of letters: by webhook from mail providers, and as messages in a mailbox file."""
