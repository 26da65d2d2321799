"""Passwords: argon2id in two native threads, so that a sign-in does not hold up everybody else's sockets."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent.threadpool import ThreadPool

# OWASP's password storage cheat sheet: argon2id with 19 MiB, 2 passes, 1 lane.
_MEMORY_KIB = 19_456
_PASSES = 2


class Hasher:
    """Hashes and verifies passwords. At most two at once; others wait without blocking the loop."""

    def __init__(self) -> None:
        self._argon2 = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=1)
        self._pool = ThreadPool(2)
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        """Give the argon2id hash of a password, salt and parameters included."""
        return str(self._pool.apply(self._argon2.hash, (password,)))

    def verify(self, password: str, hashed: str | None) -> bool:
        """Tell whether `password` is the one behind `hashed`; None takes as long and is never right."""
        if hashed is None:
            self._nobody = self._nobody or self.hash("nobody has this password")
        return bool(self._pool.apply(self._verify, (password, hashed or self._nobody))) and hashed is not None

    def _verify(self, password: str, hashed: str) -> bool:
        try:
            return self._argon2.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
