"""How the ports are filled: SQL, memory, Argon2, SMTP and the rest. Nothing here decides anything."""
