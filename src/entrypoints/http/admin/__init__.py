"""What administrators ask for. No endpoint here makes a user, or sees or sets a password."""
