"""The ports over dicts, for tests and for reading: the same contracts as SQL, with nothing in between."""
