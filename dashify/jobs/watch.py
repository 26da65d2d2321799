"""A worker's or scheduler's eye on the database's schema: it begins when it may, and ends when it may not any more."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

from dashify.errors import EXIT_OUTDATED, DashifyError, Outdated, Unavailable
from dashify.stores.schema import BEAT_SECONDS, Standing

log = logging.getLogger(__name__)

_WAIT_SECONDS = 1.0


class Watch:
    """Looks every 5 s; where the process has to end, sets `status`, its exit status, and stops it as a signal does."""

    def __init__(self, standing: Standing, kind: str, stopping: threading.Event) -> None:
        self._standing, self._stopping = standing, stopping
        self.status = 0
        standing.kind = kind

    def begin(self) -> bool:
        """Wait until the database has our schema, then begin to watch; False where the process has to end instead."""
        said = ""
        while not self._stopping.is_set():
            try:
                self._standing.check()
                threading.Thread(target=self._watch, name="schema", daemon=True).start()
                return True
            except Outdated as error:
                log.error("%s", error.message)
                self.status = EXIT_OUTDATED
                return False
            except Unavailable as error:
                if error.message != said:
                    log.warning("Not working yet: %s", error.message)
                said = error.message
            self._stopping.wait(_WAIT_SECONDS)
        return False

    def _watch(self) -> None:
        # Beyond `stopping`: until it has ended, this process counts.
        while True:
            time.sleep(BEAT_SECONDS)
            if self._standing.left:
                return
            try:
                self._standing.check()
            except Outdated as error:
                self._end(error, EXIT_OUTDATED)
            except Unavailable as error:
                if error.code == "schema_behind":
                    self._end(error, 1)
            except Exception:  # the next look may succeed
                log.exception("The database's schema could not be looked at")

    def _end(self, error: DashifyError, status: int) -> None:
        if not self._stopping.is_set():
            log.error("%s", error.message)
            self.status = status
            os.kill(os.getpid(), signal.SIGTERM)
