"""Acme's providers for Ostiary."""
