"""How much of everything a load needs: rules and arithmetic, from what a fleet does now.

A process computes on one core, so an instance or a worker is full when it has used most of one. What is shared by the
fleet and publishes nothing here (MongoDB, Redis, Qdrant) is not judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashify.domain.fleet import API, SCHEDULER, WORKER, Fleet, Process

INSTANCE_CORE = 0.6
"""The share of a core an instance may use on average: one loop serves all its sockets, and bursts must find it idle."""
INSTANCE_SOCKETS = 0.7
"""The share of its connections: when one instance of three stops, the others take half as many again."""
WORKER_CORE, WORKER_SLOTS, MODEL_SLOTS = 0.7, 0.7, 0.8
LEAST_INSTANCES, LEAST_WORKERS = 2, 1
"""Two instances, so that one may stop without anybody noticing; a stopped worker's jobs only wait."""
CATCH_UP_SECONDS = 600.0
"""What waits in a queue should be done within ten minutes, beside what comes meanwhile."""
LATE_SECONDS, SLOW_LOOP_SECONDS, UNEVEN, IDLE = 60.0, 0.25, 2.0, 0.05
MODELS = "model hosts"
_SPARE = 1e-9  # so that 1.2 / 0.6 is 2 and not 3


@dataclass(frozen=True, slots=True)
class Need:
    """What is used of one thing: `running` processes may use `share` of `one` each."""

    thing: str
    used: float
    one: float
    share: float
    running: int

    @property
    def pressure(self) -> float:
        """What is used over what may be: 1 is full."""
        room = self.running * self.one * self.share
        return self.used / room if room else (math.inf if self.used else 0.0)

    def needed(self, times: float) -> int:
        """Tell how many processes `times` the present load needs; 0 where one's size is not known."""
        return math.ceil(times * self.used / (self.one * self.share) - _SPARE) if self.one else 0


@dataclass(frozen=True, slots=True)
class Group:
    """Processes that share their work: the instances, or the workers of one queue."""

    name: str
    running: int
    least: int
    needs: Sequence[Need]

    def needed(self, times: float) -> int:
        """Tell how many processes `times` the present load needs."""
        return max([self.least, *(need.needed(times) for need in self.needs)])

    @property
    def title(self) -> str:
        """Its name in a sentence."""
        return "API instances" if self.name == API else self.name

    @property
    def fullest(self) -> Need:
        """What is nearest to its end."""
        return max(self.needs, key=lambda need: need.pressure)


@dataclass(frozen=True, slots=True)
class Report:
    """What came out. `bottleneck` is the group that is full first, `idle` sentences, `warnings` too."""

    fleet: Fleet
    groups: Sequence[Group]
    bottleneck: Group | None
    idle: Sequence[str]
    warnings: Sequence[str]


def judge(fleet: Fleet, queues: Sequence[str]) -> Report:
    """Say what the load of a fleet with these queues needs."""
    groups = [_instances(fleet.of_role(API)), *(_workers(fleet, queue) for queue in queues)]
    if fleet.model_slots:
        groups.append(_models(fleet))
    used = [group for group in groups if group.fullest.pressure > 0]
    bottleneck = max(used, key=lambda group: group.fullest.pressure, default=None)
    return Report(fleet, groups, bottleneck, _idle(groups), _warnings(fleet, groups))


def _instances(found: Sequence[Process]) -> Group:
    count = len(found)
    return Group(API, count, LEAST_INSTANCES, [
        Need("processor", sum(one.cores for one in found), 1.0, INSTANCE_CORE, count),
        Need("sockets", sum(one.sockets for one in found), _mean([one.slots for one in found]), INSTANCE_SOCKETS,
             count)])


def _workers(fleet: Fleet, queue: str) -> Group:
    found = fleet.of_role(WORKER, queue)
    count, state = len(found), fleet.queues.get(queue)
    cores, busy, jobs = (sum(values) for values in (
        [one.cores for one in found], [one.busy for one in found], [one.jobs for one in found]))
    extra = 0.0  # jobs a second on top of those that end now, so that the line gets no longer and is worked off
    if state is not None:
        extra = max(0.0, state.growth) + state.queued / CATCH_UP_SECONDS
    more = 1.0 + extra / jobs if jobs else 1.0
    return Group(queue, count, LEAST_WORKERS, [
        Need("processor", cores * more, 1.0, WORKER_CORE, count),
        Need("jobs at once", busy * more, _mean([one.slots for one in found]), WORKER_SLOTS, count)])


def _models(fleet: Fleet) -> Group:
    slots = list(fleet.model_slots.values())
    used = fleet.models_used + fleet.models_waiting
    return Group(MODELS, len(slots), 0, [Need("slots", used, _mean(slots), MODEL_SLOTS, len(slots))])


def _idle(groups: Sequence[Group]) -> list[str]:
    said = []
    for group in groups:
        spare, spare_later = group.running - group.needed(1), group.running - group.needed(2)
        if spare > 0:
            later = "also with twice the load" if spare_later >= spare else (
                f"{spare_later} of them with twice the load" if spare_later > 0 else "none of them with twice the load")
            said.append(f"{group.title}: {spare} of {group.running} are not needed, {later}")
    quiet = [group.title for group in groups if group.running and group.fullest.pressure < IDLE]
    if quiet:
        said.append(f"used to less than {IDLE:.0%} of what they may: {', '.join(quiet)}")
    return said


def _warnings(fleet: Fleet, groups: Sequence[Group]) -> list[str]:
    said = [f"{group.title}: none was found" for group in groups if not group.running]
    said += [] if fleet.of_role(SCHEDULER) else ["no scheduler was found, so nobody says what waits in the queues"]
    instances = fleet.of_role(API)
    mean = _mean([one.cores for one in instances])
    for one in instances:
        if mean > IDLE and one.cores > UNEVEN * mean:
            said.append(f"{one.target} works {one.cores / mean:.1f} times as much as the average: the load is uneven")
        if one.lag_seconds > SLOW_LOOP_SECONDS:
            said.append(f"{one.target} woke {one.lag_seconds:.2f} s late: something blocks its loop, or its core is "
                        "not its own")
    said += _said_of_queues(fleet, {group.name: group for group in groups})
    if fleet.dropped > 0:
        said.append(f"{fleet.dropped:.1f} events a second were dropped instead of published")
    if fleet.redis_away:
        said.append(f"{fleet.redis_away} processes do not reach Redis")
    if fleet.unknown:
        said.append(f"not counted, since they do not say what they are: {', '.join(fleet.unknown)}")
    return said


def _said_of_queues(fleet: Fleet, groups: Mapping[str, Group]) -> list[str]:
    said = []
    for queue, state in fleet.queues.items():
        jobs = sum(one.jobs for one in fleet.of_role(WORKER, queue))
        if state.oldest_seconds > LATE_SECONDS:
            said.append(f"{queue}: {state.queued:.0f} jobs wait, the first for {state.oldest_seconds:.0f} s")
        if state.queued and not jobs and groups[queue].running:
            said.append(f"{queue}: jobs wait and none ended, so what they need is not known: measure for longer")
        if state.dead:
            said.append(f"{queue}: {state.dead:.0f} jobs have failed for good")
    return said


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
