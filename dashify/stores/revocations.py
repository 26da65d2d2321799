"""What this process knows to be revoked, so that a Redis that forgot a deletion brings nothing back."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from dashify.stores.accounts import Directory
from dashify.stores.sessions import Sessions

HOLD = timedelta(hours=8)
_MARGIN = timedelta(minutes=5)


class Revocations:
    """The revocations and epoch changes of the last 8 h, held in memory and reloaded from MongoDB."""

    def __init__(self, sessions: Sessions, directory: Directory) -> None:
        self._store = sessions
        self._directory = directory
        self._lock = threading.Lock()
        self._sessions: frozenset[str] = frozenset()
        self._just_now: dict[str, float] = {}
        self._epochs: dict[str, tuple[int, int]] = {}
        self._loaded = False

    def reload(self) -> None:
        """Read everything that was revoked or changed lately.

        Raises:
            Unavailable: MongoDB is away; what was known stays known.
        """
        since = datetime.now(UTC) - HOLD - _MARGIN
        sessions = frozenset(self._store.list_revoked(since))
        epochs = {user: (session, version) for user, session, version in self._directory.list_changed_epochs(since)}
        with self._lock:
            self._sessions = sessions
            self._just_now = {one: at for one, at in self._just_now.items() if time.monotonic() - at < 60}
            newer = {user: held for user, held in self._epochs.items() if held[1] > epochs.get(user, held)[1]}
            self._epochs = epochs | newer
            self._loaded = True

    def ensure_loaded(self) -> None:
        """Load once, before the first session is trusted."""
        if not self._loaded:
            self.reload()

    def note_session(self, session_id: str) -> None:
        """Remember a revocation before the next reload brings it."""
        with self._lock:
            self._just_now[session_id] = time.monotonic()

    def note_epoch(self, user_id: str, epoch: tuple[int, int]) -> None:
        """Remember a user's new `(session_epoch, version)` unless a later one is known."""
        with self._lock:
            if epoch[1] > self._epochs.get(user_id, (0, 0))[1]:
                self._epochs[user_id] = epoch

    def holds(self, session_id: str) -> bool:
        """Tell whether a session is known to be revoked."""
        return session_id in self._sessions or session_id in self._just_now

    def latest(self, user_id: str, epoch: tuple[int, int] | None) -> tuple[int, int] | None:
        """Give the later of `epoch` and what is known of the user here; None where neither is."""
        held = self._epochs.get(user_id)
        if held is None or (epoch is not None and epoch[1] >= held[1]):
            return epoch
        return held
