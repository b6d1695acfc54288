"""The base64 of Unix' `crypt`: another alphabet, and the lowest bits first."""

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def crypt_base64(value: bytes) -> str:
    """Three bytes are four characters; of what is left over, as many as have bits of it."""
    return "".join(_characters(value[at : at + 3]) for at in range(0, len(value), 3))


def _characters(part: bytes) -> str:
    bits = int.from_bytes(part, "little")
    return "".join(ALPHABET[bits >> 6 * place & 63] for place in range(len(part) + 1))
