"""The model hosts of an installation: texts to vectors, and turns at chat models, fair between tenants."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager

from dashify import metrics
from dashify.clients.embeddings import Embeddings
from dashify.clients.hosted_models import PREFIX, HostedHost
from dashify.clients.model_health import Fleet, Watched
from dashify.clients.model_hosts import (
    ChatPiece,
    Failure,
    Host,
    HostFailed,
    Messages,
    OllamaHost,
    pieces,
)
from dashify.clients.model_line import Ticket
from dashify.clients.model_slots import Slots
from dashify.clients.model_wire import Stopped, Watch
from dashify.errors import Unavailable
from dashify.gate import RedisGate
from dashify.settings import Settings, split_list

log = logging.getLogger(__name__)

__all__ = ["ChatPiece", "ModelPool", "Turn"]

# How many failures of hosts one chat outlives, and how long it stays in line for a slot altogether.
_MOST_FAILURES = 4
_LONGEST_WAIT = 600.0
# How long hosts that say "busy" in spite of the slot are asked again.
_LONGEST_BUSY = 120.0
_STEP_SECONDS = 0.2
_LONGEST_PAUSE = 1.5


class ModelPool:
    """One process's way to every model host. It connects to nothing before something is asked of it."""

    def __init__(self, settings: Settings, gate: RedisGate) -> None:
        self.settings = settings
        self._names = split_list(settings.chat_models)
        self._embeddings = Embeddings([OllamaHost(url) for url in split_list(settings.embedding_url)])
        hosts = _chat_hosts(settings, self._names)
        self.fleet = Fleet(hosts)
        self.slots = Slots(gate, {one.key: one.slots for one in hosts}, settings.model_queue,
                           {one.key: one.name for one in hosts})

    def embed(self, texts: Sequence[str], *, model: str | None = None) -> list[list[float]]:
        """Give a vector for each of `texts`, in their order; `model` is the settings' by default.

        Raises:
            Unavailable: `models_unavailable` or `models_busy`.
        """
        return self._embeddings.embed(model or self.settings.embedding_model, texts)

    def has_chat(self) -> bool:
        """Tell whether a chat model is configured."""
        return bool(self.chat_models())

    def chat_models(self) -> list[str]:
        """List the models that tenants may choose from, those that some host is configured for; the default first."""
        hosted = bool(self.settings.openai_url)
        local = bool(split_list(self.settings.model_hosts))
        return [name for name in self._names if (hosted if name.startswith(PREFIX) else local)]

    @contextmanager
    def turn(self, tenant_id: str, ticket: str, *, model: str, on_position: Callable[[int], None],
             stopped: Callable[[], bool]) -> Iterator[Turn]:
        """Wait for a slot of a host that has `model`, and hold one for the length of the block.

        `ticket` names the wish: one that is asked for again, by another process after this one died, takes its old
        place in the line. `on_position` hears each new place, 1 being the next. Where `stopped` comes true the block
        runs without a slot, and its chats are empty.

        Raises:
            Unavailable: `models_busy`, the line is full; `models_unavailable`, no host with that model works.
        """
        if model not in self.chat_models():
            raise Unavailable(f"The model {model} is not offered.", code="models_unavailable")
        turn = Turn(self, Ticket(ticket, tenant_id), model, on_position)
        try:
            turn.take_slot(stopped)
            yield turn
        finally:
            turn.give_back()

    def close(self) -> None:
        """Give back the slots of turns that still run; no connection is kept between calls."""
        self.slots.close()


class Turn:
    """Somebody's time at a model. Not for several threads at once."""

    def __init__(self, pool: ModelPool, ticket: Ticket, model: str, on_position: Callable[[int], None]) -> None:
        self._pool, self._ticket, self._model, self._on_position = pool, ticket, model, on_position
        self._position = 0
        self._lease = ""
        self._at: Watched | None = None

    @property
    def host(self) -> str:
        """The host that the turn has a slot of, as host:port; empty without one."""
        return self._at.host.name if self._at else ""

    def chat(self, messages: Messages, *, max_tokens: int, stopped: Callable[[], bool]) -> Iterator[ChatPiece]:
        """Let the model go on from `messages`, piece by piece; ends early where `stopped` comes true.

        `stopped` is asked at least four times a second, and then the host's connection is closed so that it stops
        computing. A host that fails before its first words is left for another.

        Raises:
            Unavailable: `models_failed`, it broke off or refused the messages; `models_busy` or `models_unavailable`,
                no host took them.
        """
        failures, until = 0, time.monotonic() + _LONGEST_BUSY
        while not stopped() and self.take_slot(stopped):
            assert self._at
            spoken = False
            try:
                with closing(self._call(self._at, messages, max_tokens, stopped)) as answer:
                    for piece in answer:
                        spoken = True
                        yield piece
                return
            except Stopped:
                return
            except HostFailed as error:
                log.warning("A chat with the model host %s failed: %s", self.host, error)
                if spoken or error.failure is Failure.REFUSED:
                    raise Unavailable("The model broke off its answer.", code="models_failed") from error
                self.give_back()
                failures += error.failure is not Failure.BUSY
                if failures >= _MOST_FAILURES:
                    raise _nobody_answers() from error
                if time.monotonic() > until:
                    raise _all_busy() from error

    def take_slot(self, stopped: Callable[[], bool]) -> bool:
        """Wait until the turn has a slot; false where `stopped` came true first.

        Raises:
            Unavailable: `models_busy` or `models_unavailable`.
        """
        if self._at:
            return True
        metrics.model_waiting.inc()
        try:
            return self._wait(stopped)
        finally:
            metrics.model_waiting.dec()
            if not self._at:
                self._pool.slots.leave(self._ticket)

    def give_back(self) -> None:
        """Give the slot back; the next chat waits for another."""
        if self._at:
            self._at = None
            self._pool.slots.release(self._lease)

    def _wait(self, stopped: Callable[[], bool]) -> bool:
        fleet, began = self._pool.fleet, time.monotonic()
        while not stopped():
            usable = fleet.find(self._model, stopped)
            if stopped():
                return False
            if not usable and not fleet.hopeful(self._model):
                raise _nobody_answers()
            random.shuffle(usable)
            asked = self._pool.slots.ask(self._ticket, usable)
            if asked.host:
                self._at, self._lease = fleet.watched[asked.host], asked.lease
                return True
            if not asked.position or time.monotonic() - began > _LONGEST_WAIT:
                raise _all_busy()
            if asked.position != self._position:
                self._position = asked.position
                self._on_position(asked.position)
            _pause(min(0.08 + 0.02 * asked.position, _LONGEST_PAUSE) * random.uniform(0.7, 1.3), stopped)
        return False

    def _call(self, at: Watched, messages: Messages, max_tokens: int,
              stopped: Callable[[], bool]) -> Generator[ChatPiece]:
        if not at.breaker.begin():
            raise HostFailed(Failure.BUSY, "another call is trying it")
        settings, host, began = self._pool.settings, at.host, time.monotonic()
        watch = Watch(settings.model_first_token_seconds, stopped)
        outcome, last = "stopped", ChatPiece("", 0, 0)
        try:
            with closing(host.chat(self._model, messages, max_tokens, watch)) as parts:
                for piece in pieces(parts, messages, max_tokens, lambda: watch.extend(settings.model_stall_seconds)):
                    if not last.prompt_tokens:
                        at.note(None)
                        metrics.model_first_token_seconds.labels(host.name).observe(time.monotonic() - began)
                    last = piece
                    yield piece
                    # How long the caller took over it is not the host's silence.
                    watch.extend(settings.model_stall_seconds)
                    watch.check()
            outcome = "done"
        except HostFailed as error:
            outcome = error.failure.value
            at.note(error.failure, error.rest)
            raise
        finally:
            at.breaker.ended()
            metrics.model_calls.labels(host.name, "chat", outcome).inc()
            metrics.model_tokens.labels(host.name, "prompt").inc(last.prompt_tokens)
            metrics.model_tokens.labels(host.name, "answer").inc(last.tokens)


def _pause(seconds: float, stopped: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _STEP_SECONDS))
        if left > _STEP_SECONDS and stopped():
            return


def _all_busy() -> Unavailable:
    return Unavailable("All models are busy. Please try again in a few minutes.", code="models_busy")


def _nobody_answers() -> Unavailable:
    return Unavailable("No model answers at the moment. Please try again in a few minutes.", code="models_unavailable")


def _chat_hosts(settings: Settings, names: Sequence[str]) -> list[Host]:
    hosts: list[Host] = [OllamaHost(url, settings.model_host_slots, settings.model_context)
                         for url in split_list(settings.model_hosts)]
    hosted = [name for name in names if name.startswith(PREFIX)]
    if settings.openai_url and hosted:
        hosts.append(HostedHost(settings.openai_url, settings.openai_key, settings.openai_slots, hosted))
    return hosts
