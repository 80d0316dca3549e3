"""Passwords: argon2id at the least parameters of OWASP ASVS 5.0 (11.4.2), hashed two at a time at most.

A hash takes 19 MiB and some ten milliseconds on purpose, so a flood of logins must wait in line instead of taking the
machine; and a name that is not known costs the same as one that is.
"""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_CHARACTERS: Final = 12
MOST_CHARACTERS: Final = 128
LEAST_DIFFERENT: Final = 6
AT_ONCE: Final = 2
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODYS: Final = _HASHER.hash("nobody's password: what an unknown name is compared with")


def mistakes(password: str, name: str) -> list[str]:
    """What is wrong with a new password, in words; empty when it will do."""
    found = []
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        found.append(f"expected {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters, not {len(password)}")
    if len(set(password.lower())) < LEAST_DIFFERENT:
        found.append(f"expected at least {LEAST_DIFFERENT} different characters")
    if name.lower() in password.lower():
        found.append("it must not hold the account's name")
    return found


class Passwords:
    """Makes and checks hashes beside the event loop."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.hashed = 0

    async def hash(self, password: str) -> str:
        """The text to keep."""
        async with self._slots:
            self.hashed += 1
            return await asyncio.to_thread(_HASHER.hash, password)

    async def fits(self, kept: str | None, password: str) -> bool:
        """True when `kept` is of this password; None, for a name that is not known, takes as long and never fits."""
        async with self._slots:
            self.hashed += 1
            same = await asyncio.to_thread(_fits, kept or _NOBODYS, password)
        return same and kept is not None


def _fits(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
