"""What the hashes of Unix' `crypt` and their like have in common: rounds in Python, and a base64 of their own, with the
lowest bits first."""

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

MOST_BYTES = 128
"""Of a password: every round reads it, so a longer one would take longer than the bound of work says."""


def crypt_base64(value: bytes) -> str:
    """Three bytes are four characters; of what is left over, as many as have bits of it."""
    return "".join(_characters(value[at : at + 3]) for at in range(0, len(value), 3))


def _characters(part: bytes) -> str:
    bits = int.from_bytes(part, "little")
    return "".join(ALPHABET[bits >> 6 * place & 63] for place in range(len(part) + 1))
