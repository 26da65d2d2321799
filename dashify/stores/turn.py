"""Whose turn it is to migrate the database: one process's in the whole fleet, by MongoDB's clock."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pymongo.database import Database

from dashify.errors import Unavailable
from dashify.stores.migrations import MigrationFailed
from dashify.stores.mongo import Document
from dashify.stores.schedule import LEAD_SECONDS, Leadership
from dashify.stores.workers import Clock

ROLE = "migrations"
_BEAT_SECONDS = LEAD_SECONDS / 4
_POLL_SECONDS = 0.5
Say = Callable[[str], None]


class Turn:
    """The right to migrate, kept by a thread of its own, so that an index that takes an hour does not cost it."""

    def __init__(self, database: Database[Document], clock: Clock) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._leadership = Leadership(database, clock, ROLE, self.name)
        self._lost = False

    @contextmanager
    def held(self, say: Say) -> Iterator[None]:
        """Have the turn inside the block, after whoever has it now; `say` tells who that is."""
        fence, told = self._leadership.lead(), ""
        while fence is None:
            holder = self._leadership.find_holder() or told
            # It may be ours, where the answer to `lead` was lost and the driver asked again: the next try keeps it.
            if holder not in (told, self.name):
                say(f"{holder} is migrating this database; waiting for it to end.")
                told = holder
            time.sleep(_POLL_SECONDS)
            fence = self._leadership.lead()
        self._lost, over = False, threading.Event()
        keeper = threading.Thread(target=self._keep, args=(fence, over), name="migrations", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()
            with suppress(Unavailable):
                self._leadership.resign()

    def prove(self) -> None:
        """Make sure that it is still our turn.

        Raises:
            MigrationFailed: this process was silent for so long that another may have begun.
        """
        if self._lost:
            raise MigrationFailed("This process was silent for too long and has lost its turn. Run it again.")

    def _keep(self, fence: int, over: threading.Event) -> None:
        kept_at = time.monotonic()
        while not over.wait(_BEAT_SECONDS):
            try:
                self._lost = self._leadership.lead() != fence
                kept_at = time.monotonic()
            except Unavailable:
                self._lost = time.monotonic() - kept_at > LEAD_SECONDS
            if self._lost:
                return
