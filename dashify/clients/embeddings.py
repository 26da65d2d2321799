"""Texts to vectors: in batches, in order, tried once more elsewhere, and remembered for short queries."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence

from dashify import metrics
from dashify.clients.model_health import Breaker
from dashify.clients.model_hosts import Failure, HostFailed, OllamaHost
from dashify.clients.model_wire import Watch
from dashify.errors import Unavailable

BATCH = 64
# Of one try: a search must not hang on it, a batch of passages may take its time on a slow machine.
FIRST_SECONDS, SECONDS_A_TEXT = 8.0, 1.0
_REMEMBERED = 1_000
_LONGEST_REMEMBERED = 300


class Embeddings:
    """The hosts that embed, each with the same models. They stand in for one another."""

    def __init__(self, hosts: Sequence[OllamaHost]) -> None:
        self._hosts = [(host, Breaker(host.name)) for host in hosts]
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._remembered: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Give a vector for each of `texts`, in their order, all of the model's one length.

        Raises:
            Unavailable: `models_unavailable` or `models_busy`, after a second try.
        """
        if len(texts) == 1 and len(texts[0]) <= _LONGEST_REMEMBERED:
            return [self._embed_query(model, texts[0])]
        vectors: list[list[float]] = []
        for start in range(0, len(texts), BATCH):
            vectors += self._embed_batch(model, texts[start:start + BATCH])
        if len({len(one) for one in vectors}) > 1:
            raise Unavailable("The hosts that embed texts have different models under one name.",
                              code="models_unavailable")
        return vectors

    def _embed_query(self, model: str, text: str) -> list[float]:
        with self._lock:
            if found := self._remembered.get((model, text)):
                self._remembered.move_to_end((model, text))
                return list(found)
        vector = self._embed_batch(model, [text])[0]
        with self._lock:
            self._remembered[model, text] = vector
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return list(vector)

    def _embed_batch(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        failure: HostFailed | None = None
        for host, breaker in self._order():
            if not breaker.begin():
                continue
            try:
                return self._call(host, breaker, model, texts)
            except HostFailed as error:
                failure = error
        if failure and failure.failure is Failure.BUSY:
            raise Unavailable("The host that embeds texts is busy. Please try again in a moment.",
                              code="models_busy") from failure
        raise Unavailable("The host that embeds texts does not answer at the moment.",
                          code="models_unavailable") from failure

    def _order(self) -> list[tuple[OllamaHost, Breaker]]:
        """Give the two hosts to try, those that are well and have the least to do first."""
        ordered = sorted(self._hosts, key=lambda one: (not one[1].ready, self._busy[one[0].key]))[:2]
        # A single host may have been restarted between two calls.
        return ordered * 2 if len(ordered) == 1 else ordered

    def _call(self, host: OllamaHost, breaker: Breaker, model: str, texts: Sequence[str]) -> list[list[float]]:
        outcome, began = "failed", time.monotonic()
        with self._lock:
            self._busy[host.key] += 1
        try:
            vectors, tokens = host.embed(model, texts, Watch(FIRST_SECONDS + SECONDS_A_TEXT * len(texts)))
            outcome = "done"
            breaker.succeeded()
            metrics.model_tokens.labels(host.name, "prompt").inc(tokens)
            return vectors
        except HostFailed as error:
            outcome = error.failure.value
            # What is busy or says no works; and a time-out of a single host is not worth the same time again.
            _note(breaker, error)
            if len(self._hosts) == 1 and time.monotonic() - began > FIRST_SECONDS / 2:
                raise Unavailable("The host that embeds texts does not answer at the moment.",
                                  code="models_unavailable") from error
            raise
        finally:
            breaker.ended()
            with self._lock:
                self._busy[host.key] -= 1
            metrics.model_calls.labels(host.name, "embed", outcome).inc()


def _note(breaker: Breaker, error: HostFailed) -> None:
    if error.failure is Failure.AWAY:
        breaker.failed()
    elif error.failure is not Failure.BUSY:
        breaker.succeeded()
