"""Ostiary's own API (DESIGN section 6): one controller a conversation, its wire shapes beside it."""
