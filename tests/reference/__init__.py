"""The pages in docs/reference, from the code: `python3 dev.py reference` writes them, a test compares."""
