"""Which model hosts work: a breaker for each, and what it said of itself at most some seconds ago.

Nothing here is asked for by a clock: a process looks only while somebody waits for a model.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from dashify import metrics
from dashify.clients.model_hosts import Failure, Host, HostFailed, full_name

log = logging.getLogger(__name__)

MOST_FAILURES = 3
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0
# While it is asked again, what was heard counts for longer: nobody waits for an answer that is most likely the same.
FRESH_SECONDS = 5.0
FRESH_FAILURE_SECONDS = 2.0
KNOWN_SECONDS = 30.0
_FIRST_REST = 0.5
_LONGEST_REST = 8.0
_STEP_SECONDS = 0.05

Now = Callable[[], float]


class Breaker:
    """Leaves a host alone after failures in a row, for longer each time, and then lets one call try it."""

    def __init__(self, name: str, now: Now = time.monotonic) -> None:
        self._name, self._now = name, now
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._until: float | None = None
        self._trying = False
        metrics.model_breaker_open.labels(name).set(0)

    @property
    def ready(self) -> bool:
        """Tell whether a call may begin now."""
        return self.due and not self._trying

    @property
    def due(self) -> bool:
        """Tell whether it is not left alone at present, though another call may be trying it just now."""
        return self._until is None or self._now() >= self._until

    def begin(self) -> bool:
        """Take leave to call, which `succeeded`, `failed` or `ended` gives back; false where others are to be tried."""
        with self._lock:
            if not self.ready:
                return False
            self._trying = self._until is not None
            return True

    def succeeded(self) -> None:
        """Note that the host works."""
        with self._lock:
            if self._until is not None:
                log.warning("The model host %s works again", self._name)
            self._failures, self._pause, self._until, self._trying = 0, FIRST_PAUSE, None, False
        metrics.model_breaker_open.labels(self._name).set(0)

    def failed(self) -> None:
        """Note that the host does not work."""
        with self._lock:
            self._failures += 1
            self._trying = False
            if self._failures < MOST_FAILURES:
                return
            if self._until is not None:
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._until = self._now() + self._pause
        metrics.model_breaker_open.labels(self._name).set(1)
        log.warning("The model host %s is left alone for %.0f s", self._name, self._pause)

    def ended(self) -> None:
        """Note that a call ended before it showed anything about the host."""
        with self._lock:
            self._trying = False


class Watched:
    """A host and what is known of it."""

    def __init__(self, host: Host, now: Now = time.monotonic) -> None:
        self.host, self.breaker = host, Breaker(host.name, now)
        self._now = now
        self._lock = threading.Lock()
        self._models: frozenset[str] | None = None
        self._heard_at = float("-inf")
        self._asking = False
        self._refusals = 0
        self._rests_until = float("-inf")

    @property
    def known(self) -> bool:
        """Tell whether it was asked not too long ago."""
        return self._now() - self._heard_at < KNOWN_SECONDS

    def has(self, model: str) -> bool:
        """Tell whether it works and has `model`, as far as is known."""
        return self.known and self._models is not None and full_name(model) in self._models

    def usable(self, model: str) -> bool:
        """Tell whether a call for `model` may go to it now."""
        return self.has(model) and self.breaker.ready and self._now() >= self._rests_until

    def hopeful(self, model: str) -> bool:
        """Tell whether it is worth waiting for: it works, though it may rest at present."""
        return self.has(model) and self.breaker.due

    def look(self) -> None:
        """Ask it in the background when what is known of it is not fresh."""
        fresh = FRESH_FAILURE_SECONDS if self._models is None else FRESH_SECONDS
        with self._lock:
            if self._asking or self._now() - self._heard_at < fresh:
                return
            self._asking = True
        threading.Thread(target=self._ask, name=f"look at {self.host.name}", daemon=True).start()

    def note(self, failure: Failure | None, rest: float = 0.0) -> None:
        """Note how a call to it went; None is well."""
        if failure is None or failure is Failure.REFUSED:
            self._refusals = 0
            self.breaker.succeeded()
            return
        self._refusals += 1
        self._rests_until = self._now() + max(rest, min(_FIRST_REST * 2 ** (self._refusals - 1), _LONGEST_REST))
        if failure is Failure.BUSY:
            # It works: there is only too much to do.
            self.breaker.ended()
            return
        self._heard_at = min(self._heard_at, self._now() - FRESH_SECONDS)
        self.breaker.failed()

    def _ask(self) -> None:
        models: frozenset[str] | None = None
        try:
            models = frozenset(map(full_name, self.host.models()))
            if self._models is None:
                log.info("The model host %s answers", self.host.name)
        except HostFailed as error:
            if self._models is not None or self._heard_at == float("-inf"):
                log.warning("The model host %s does not work: %s", self.host.name, error)
        finally:
            self._models, self._heard_at = models, self._now()
            self._asking = False


class Fleet:
    """Every host for chat."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self.watched = {host.key: Watched(host) for host in hosts}

    def find(self, model: str, stopped: Callable[[], bool], seconds: float = 6.0) -> list[str]:
        """Give the keys of the hosts that a call for `model` may go to now, after at most `seconds` of asking them."""
        until = time.monotonic() + seconds
        while True:
            for one in self.watched.values():
                one.look()
            found = [key for key, one in self.watched.items() if one.usable(model)]
            if found or all(one.known for one in self.watched.values()):
                return found
            if stopped() or time.monotonic() > until:
                return []
            time.sleep(_STEP_SECONDS)

    def hopeful(self, model: str) -> bool:
        """Tell whether any host is worth waiting for."""
        return any(one.hopeful(model) for one in self.watched.values())
