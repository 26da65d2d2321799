"""What people at work cost the API, and so how many a fleet serves: `python -m bench people`.

On an installation of its own with two instances, the fewest that a fleet has, PEOPLE sit in front of an open page each,
all of an organization in one channel, their pages on both instances alike. An hour of one of them is `Hour`; it passes
`speed` times as fast as a real one, so that a minute gives a figure. What the instances use without any page, and with
pages at rest, is measured before, each for as long. MongoDB and the workers have hosts of their own and do not count.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import urllib3
import websocket

from bench.instances import installed, organization, processor_seconds, running_instances
from bench.machine import describe_machine
from bench.sockets import Sockets
from dashify.context import Platform
from dashify.domain.capacity import INSTANCE_CORE, LEAST_INSTANCES, Need
from dashify.resources import Resources

PARTS = ("people",)
INSTANCES = 2
FLEETS = (200, 1_000, 2_000, 5_000, 15_000, 30_000)
_SEED = 1
_SETTLE_SECONDS, _ANSWER_SECONDS = 3.0, 30.0
_WRITERS = 16


@dataclass(frozen=True, slots=True)
class Hour:
    """What one person does in a busy hour, each so many times.

    A message every ten minutes, with two signs of typing; a fifth of the fifty who get one look at its channel and move
    their mark; a channel is opened every five minutes, and the page is loaded anew once.
    """

    message: float = 6
    typing: float = 12
    mark: float = 60
    channel: float = 12
    page: float = 1


@dataclass(frozen=True, slots=True)
class Size:
    """How many organizations of how many people, and for how many seconds hours pass how fast."""

    organizations: int = 4
    people: int = 50
    seconds: float = 60.0
    speed: float = 15.0


class Pages(Sockets):
    """Open pages that ask and time the answers; `delivered` counts all events that they were sent."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered = 0
        self.milliseconds: list[float] = []
        self.waiting: dict[int, tuple[websocket.WebSocket, float]] = {}
        self._numbers = itertools.count(1)

    def ask(self, ws: websocket.WebSocket, event: str, payload: dict[str, Any]) -> None:
        """Send an event that wants an answer."""
        number = next(self._numbers)
        self.waiting[number] = ws, time.monotonic()
        ws.send(f"42{number}{json.dumps([event, payload])}")

    def close(self, ws: websocket.WebSocket) -> None:
        """Close a page, which waits for nothing any more."""
        super().close(ws)
        self.waiting = {number: asked for number, asked in self.waiting.items() if asked[0] is not ws}

    def hear(self, frame: bytes) -> None:
        """Count an event, time an answer; one that refuses voids the figures."""
        if frame.startswith(b"42"):
            self.delivered += 1
        elif frame.startswith(b"43"):
            number, _, body = frame[2:].partition(b"[")
            self.milliseconds.append((time.monotonic() - self.waiting.pop(int(number))[1]) * 1000)
            if not body.startswith(b'{"ok":true'):
                raise SystemExit(f"An event was refused: no figure counts. {body[:200]!r}")


@dataclass(slots=True)
class Somebody:
    """One person: the instance of its page, its session, its channel, and the page's socket."""

    url: str
    cookie: str
    channel: str
    page: websocket.WebSocket


class Work:
    """Everybody's hour, as a list of what is done when, the same in each run."""

    def __init__(self, size: Size, pages: Pages, everybody: list[Somebody]) -> None:
        self._size, self._pages, self._everybody = size, pages, everybody
        self._http = urllib3.PoolManager(num_pools=INSTANCES, maxsize=_WRITERS)
        self._pool = ThreadPoolExecutor(_WRITERS)
        self._running: list[Future[list[float]]] = []
        self._written = dict.fromkeys((one.channel for one in everybody), 0)

    def go(self) -> None:
        """Do all of it, and wait until all is answered."""
        began = time.monotonic()
        for due, what, somebody in self._plan():
            self._pages.read_until(began + due)
            self._do(what, somebody)
        self._pages.read_until(began + self._size.seconds)
        deadline = time.monotonic() + _ANSWER_SECONDS
        while self._pages.waiting or not all(one.done() for one in self._running):
            if time.monotonic() > deadline:
                raise SystemExit(f"{len(self._pages.waiting)} events were not answered: no figure counts.")
            self._pages.read_until(time.monotonic() + 0.05)
        self._pool.shutdown()

    def milliseconds(self) -> list[float]:
        """Give how long each HTTP answer took."""
        return [took for one in self._running for took in one.result()]

    def _plan(self) -> list[tuple[float, str, Somebody]]:
        chance = random.Random(_SEED)  # each run does the same
        hours = len(self._everybody) * self._size.seconds * self._size.speed / 3600
        return sorted(((chance.uniform(0, self._size.seconds), what, chance.choice(self._everybody))
                       for what, times in asdict(Hour()).items() for _ in range(max(1, round(times * hours)))),
                      key=lambda one: one[0])

    def _do(self, what: str, who: Somebody) -> None:
        if what == "message":
            self._written[who.channel] += 1
            text = f"This is message {self._written[who.channel]}, as long as most of them are in an office."
            client_id = f"{who.channel}-{self._written[who.channel]}"
            self._pages.ask(who.page, "message:send", {"channel_id": who.channel, "text": text,
                                                       "client_id": client_id})
        elif what == "typing":
            self._pages.ask(who.page, "typing", {"channel_id": who.channel})
        elif what == "mark":
            self._mark(who)
        elif what == "channel":
            self._get(who, f"/api/v1/channels/{who.channel}/messages")
            self._mark(who)
        else:
            self._get(who, "/", "/api/v1/me", "/api/v1/channels", "/api/v1/users", "/api/v1/notifications",
                      f"/api/v1/channels/{who.channel}/messages")
            self._pages.close(who.page)
            who.page = self._pages.connect(who.url, who.cookie)

    def _mark(self, who: Somebody) -> None:
        self._pages.ask(who.page, "channel:read", {"channel_id": who.channel, "seq": self._written[who.channel]})

    def _get(self, who: Somebody, *paths: str) -> None:
        def get() -> list[float]:
            took = []
            for path in paths:
                began = time.monotonic()
                answer = self._http.request("GET", who.url + path, headers={"Cookie": f"dashify_session={who.cookie}"},
                                            retries=False)
                took.append((time.monotonic() - began) * 1000)
                if answer.status != 200:
                    raise SystemExit(f"GET {path} was answered {answer.status}: no figure counts.")
            return took

        self._running.append(self._pool.submit(get))


def measure(size: Size) -> Iterator[str]:
    """Have everybody work; give the lines of the table."""
    with installed() as (redis, settings, folder), running_instances(settings, INSTANCES, folder) as running, \
            Pages() as pages:
        yield describe_machine(redis.url)
        leaders, urls = [process.pid for _, process in running], [url for url, _ in running]
        with closing(Resources(settings)) as resources:
            platform = Platform(resources)
            cookies = [[signed.cookie for signed in organization(platform, number, size.people)]
                       for number in range(size.organizations)]
        time.sleep(_SETTLE_SECONDS)
        alone = _cores(leaders, lambda: time.sleep(size.seconds))
        everybody = [one for of_one in cookies for one in _open_pages(pages, urls, of_one)]
        pages.read_until(time.monotonic() + _SETTLE_SECONDS)
        rest = _cores(leaders, lambda: pages.read_until(time.monotonic() + size.seconds))
        work, delivered = Work(size, pages, everybody), pages.delivered
        busy = _cores(leaders, work.go)
        yield from _table(size, alone, rest, busy)
        yield (f"events handed to pages: {pages.delivered - delivered:,}; "
               f"answers to pages' events: {_times(pages.milliseconds)}; to requests: {_times(work.milliseconds())}")


def _cores(leaders: list[int], during: Callable[[], object]) -> float:
    """Give how many cores the instances used on average while `during` ran."""
    began, before = time.monotonic(), processor_seconds(*leaders)
    during()
    return (processor_seconds(*leaders) - before) / (time.monotonic() - began)


def _open_pages(pages: Pages, urls: list[str], cookies: list[str]) -> Iterator[Somebody]:
    """Open a page of each, by turns on the instances; all look at the channel that everybody is in."""
    listed = urllib3.request("GET", f"{urls[0]}/api/v1/channels",
                             headers={"Cookie": f"dashify_session={cookies[0]}"}).json()
    [channel] = [one["id"] for one in listed["channels"] if one["name"] == "general"]
    for place, cookie in enumerate(cookies):
        url = urls[place % len(urls)]
        yield Somebody(url, cookie, channel, pages.connect(url, cookie))


def _table(size: Size, alone: float, rest: float, busy: float) -> Iterator[str]:
    number = size.organizations * size.people
    instance = alone / INSTANCES
    at_rest, at_work = max(0.0, rest - alone) / number, max(0.0, busy - rest) / number / size.speed
    cost = at_rest + at_work
    done = ", ".join(f"{times:g} {what}" for what, times in asdict(Hour()).items())
    yield f"{number} people in {size.organizations} organizations, {size.speed:g} times as fast; an hour of one: {done}"
    yield (f"an hour of one takes {cost * 3600:.2f} s of the API's processor: {at_rest * 3600:.2f} s for a page "
           f"at rest, {at_work * 3600:.2f} s for what is done")
    yield f"an instance alone uses {instance:.3f} cores; meanwhile all used {busy:.2f}"
    yield (f"people for whom one instance is enough, at {INSTANCE_CORE:g} of its core: "
           f"{int((INSTANCE_CORE - instance) / cost):,}")
    yield ""
    yield f"{'people at work':>14}{'cores for them':>16}{'instances':>11}"
    for fleet in FLEETS:
        need = Need("API instances", fleet * cost, 1.0, INSTANCE_CORE - instance, LEAST_INSTANCES)
        yield f"{fleet:>14,}{need.used:>16.2f}{max(LEAST_INSTANCES, need.needed(1)):>11}"
    yield ""


def _times(milliseconds: list[float]) -> str:
    ordered = sorted(milliseconds)
    return (f"{len(ordered):,}, median {ordered[len(ordered) // 2]:.0f} ms, "
            f"99 % within {ordered[int(len(ordered) * 0.99)]:.0f} ms")


def main(parts: list[str], *, quick: bool) -> None:
    """Measure if `parts` say so, and print the table."""
    size = Size(organizations=2, people=3, seconds=3.0, speed=200.0) if quick else Size()
    if parts:
        print("people …", file=sys.stderr, flush=True)
        for line in measure(size):
            print(line, flush=True)
