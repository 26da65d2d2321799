"""What real time costs as instances are added: `python -m bench fanout`, on an installation of its own.

Organizations, sockets and events are the same every time; only the number of instances changes, and where the
sockets of an organization are: all on one instance (apart), on every instance alike (spread), or on one while every
instance listens to all events (one channel for all, as Socket.IO's own managers have it: a socket of somebody whom no
event is for stands on each instance, so it hears them and hands on nothing).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests
from prometheus_client.parser import text_string_to_metric_families

from bench.instances import installed, organization, processor_seconds, running_instances
from bench.machine import describe_machine
from bench.sockets import Sockets
from dashify.clients.publisher import Publisher
from dashify.context import Platform
from dashify.domain import names
from dashify.local.servers import Server
from dashify.resources import Resources
from dashify.settings import Settings

PARTS = ("fanout",)
PLACES = ("apart", "spread", "one channel for all")
SOCKETS_OF_ONE = 8
# So many events come at once, for what comes alone costs the more the less a machine has to do: it wakes for each.
BURST = 240
_ARRIVE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Size:
    """How many organizations, events for each, and events a second in all, and on how many instances."""

    tenants: int = 24
    events: int = 200
    rate: float = 400.0
    instances: tuple[int, ...] = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run cost: processor seconds of all instances and of Redis, and what the instances were sent."""

    delivered: int
    instances: float
    redis: float
    heard: int


class Bench:
    """Servers and organizations, and as many instances as are asked for."""

    def __init__(self, settings: Settings, redis: Server, folder: Path, size: Size) -> None:
        self._settings, self._redis, self._folder, self._size = settings, redis, folder, size
        self.resources = Resources(settings)
        platform = Platform(self.resources)
        # Each with somebody whom the events are for, and somebody whom they are not for.
        self._people = [organization(platform, number, 2) for number in range(size.tenants)]
        self._rooms = [names.user_room(owner.actor.tenant_id, owner.actor.user_id) for owner, _ in self._people]

    def measure(self, instances: int, place: str) -> Figure:
        """Send the events to the sockets at their places, and give what that cost."""
        with running_instances(self._settings, instances, self._folder) as running, Sockets() as sockets:
            urls = [url for url, _ in running]
            for number, (owner, watching) in enumerate(self._people):
                for at in range(SOCKETS_OF_ONE):
                    sockets.connect(urls[(at if place == "spread" else number) % instances], owner.cookie)
                if place == PLACES[2]:
                    for url in urls:
                        sockets.connect(url, watching.cookie)
            sockets.read_until(time.monotonic() + 3.0)  # until arrivals have been told
            leaders = [process.pid for _, process in running]
            idle = self._cost(leaders, sockets, 0)
            busy = self._cost(leaders, sockets, self._size.events)
            heard = sum(_counter(url, "dashify_heard", "event") for url in urls)
            return Figure(busy[0], busy[1] - idle[1], busy[2] - idle[2], int(heard))

    def _cost(self, leaders: list[int], sockets: Sockets, events: int) -> tuple[int, float, float]:
        """Send `events` to each organization, or none for as long; give deliveries and processor seconds."""
        before = processor_seconds(*leaders), processor_seconds(self._redis.pid), sockets.events
        publisher = Publisher(self.resources.gate)
        total, began = self._size.events * self._size.tenants, time.monotonic()
        for start in range(0, total, BURST):
            burst = range(start, min(start + BURST, total))
            for number in burst if events else ():
                room = self._rooms[number % self._size.tenants]
                publisher.emit(room, "bench", {"number": number, "text": "x" * 400})
            sockets.read_until(began + burst.stop / self._size.rate)
        expected = before[2] + (total * SOCKETS_OF_ONE if events else 0)
        deadline = time.monotonic() + _ARRIVE_SECONDS
        while sockets.events < expected:
            if time.monotonic() > deadline:
                raise SystemExit(f"{expected - sockets.events} events did not arrive: no figure counts.")
            sockets.read_until(time.monotonic() + 0.05)
        return (sockets.events - before[2], processor_seconds(*leaders) - before[0],
                processor_seconds(self._redis.pid) - before[1])


def measure(size: Size, rounds: int) -> Iterator[str]:
    """Measure every place with every number of instances, `rounds` times; give the lines of the table."""
    with installed() as (redis, settings, folder):
        yield describe_machine(redis.url)
        yield (f"{size.tenants} organizations, {SOCKETS_OF_ONE} sockets each, {size.events} events each, "
               f"{size.rate:g} events a second in all; rounds {rounds}, medians (least-most)")
        bench = Bench(settings, redis, folder, size)
        try:
            yield from _table(bench, size.instances, rounds)
        finally:
            bench.resources.close()


def _table(bench: Bench, numbers: Sequence[int], rounds: int) -> Iterator[str]:
    wanted = [(place, instances) for place in PLACES for instances in numbers]
    found: dict[tuple[str, int], list[Figure]] = {one: [] for one in wanted}
    for number in range(1, rounds + 1):
        for place, instances in wanted if number % 2 else reversed(wanted):
            print(f"fanout, round {number} of {rounds}: {place}, {instances} instances …", file=sys.stderr, flush=True)
            figure = bench.measure(instances, place)
            found[place, instances].append(figure)
            print(f"  {figure}", file=sys.stderr, flush=True)
    yield ""
    yield f"{'sockets':<22}{'instances':>10}{'CPU µs a delivery':>26}{'against 1':>11}{'heard':>9}{'Redis, CPU s':>14}"
    first = 0.0
    for (place, instances), figures in found.items():
        each = [one.instances * 1e6 / one.delivered for one in figures]
        first = median(each) if instances == numbers[0] else first
        spread = f"{median(each):.1f} ({min(each):.1f}-{max(each):.1f})"
        # So little may be used by few events that a busy machine's idle seconds are more.
        ratio = f"{median(each) / first:.2f}" if first > 0 else "-"
        yield (f"{place:<22}{instances:>10}{spread:>26}{ratio:>11}{figures[-1].heard:>9,}"
               f"{median(one.redis for one in figures):>14.2f}")


def _counter(url: str, family: str, kind: str) -> float:
    text = requests.get(url + "/metrics", timeout=5).text
    return sum(sample.value for one in text_string_to_metric_families(text) if one.name == family
               for sample in one.samples if sample.name.endswith("_total") and sample.labels.get("kind") == kind)


def main(parts: list[str], *, quick: bool, rounds: int | None) -> None:
    """Measure if `parts` say so, once where nobody asks for more, since a round takes five minutes; print the table."""
    size = Size(tenants=8, events=10, rate=80.0, instances=(2,)) if quick else Size()
    if parts:
        for line in measure(size, rounds or 1):
            print(line, flush=True)
