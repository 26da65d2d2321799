"""What a fleet does, summed up from the measurements that its processes publish over some seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

API, WORKER, SCHEDULER = "api", "worker", "scheduler"
STALE_SECONDS = 90.0
Labels = tuple[tuple[str, str], ...]
Points = Sequence[tuple[float, float]]
Readings = Mapping[str, Mapping[tuple[str, Labels], Points]]
"""By target, name and labels: the values read, each with its time in seconds, in order."""

COUNTERS = ("process_cpu_seconds_total", "dashify_http_request_seconds_count", "dashify_socket_events_total",
            "dashify_deliveries_total", "dashify_heard_total", "dashify_published_total", "dashify_job_seconds_sum",
            "dashify_job_seconds_count")
GAUGES = ("process_resident_memory_bytes", "dashify_process_slots", "dashify_sockets_open", "dashify_loop_lag_seconds",
          "dashify_redis_available", "dashify_queue_jobs", "dashify_queue_oldest_seconds", "dashify_queue_workers",
          "dashify_model_waiting", "dashify_model_slots_used", "dashify_model_slots")
NAMES = frozenset((*COUNTERS, *GAUGES))


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `cores`: processor seconds a second; `busy`: jobs that ran at once, on average; rates a second."""

    target: str
    role: str
    queue: str
    slots: float
    cores: float
    memory_bytes: float
    sockets: float = 0.0
    lag_seconds: float = 0.0
    requests: float = 0.0
    events: float = 0.0
    deliveries: float = 0.0
    heard: float = 0.0
    busy: float = 0.0
    jobs: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueState:
    """What waits in one queue, by the scheduler that leads. `growth`: jobs a second by which `queued` rises."""

    queued: float = 0.0
    dead: float = 0.0
    oldest_seconds: float = 0.0
    growth: float = 0.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that was found. `unknown` lists targets that do not say what they are."""

    seconds: float
    processes: Sequence[Process]
    queues: Mapping[str, QueueState]
    model_slots: Mapping[str, float]
    models_used: float
    models_waiting: float
    dropped: float
    redis_away: int
    unknown: Sequence[str]

    def of_role(self, role: str, queue: str = "") -> list[Process]:
        """List the processes of one role, and of one queue where that is a worker's."""
        return [one for one in self.processes if (one.role, one.queue) == (role, queue)]


class Target:
    """The readings of one process."""

    def __init__(self, name: str, series: Mapping[tuple[str, Labels], Points]) -> None:
        self.name = name
        self._series = {key: points for key, points in series.items() if points}
        times = [point[0] for points in self._series.values() for point in points]
        self.since, self.until = min(times, default=0.0), max(times, default=0.0)

    @property
    def seconds(self) -> float:
        """From the first reading to the last."""
        return self.until - self.since

    def each(self, name: str) -> Iterator[tuple[dict[str, str], Points]]:
        """Give the labels and points of every series of one name."""
        for (found, labels), points in self._series.items():
            if found == name:
                yield dict(labels), points

    def last(self, name: str, **labels: str) -> float:
        """Sum the latest values of the series that have these labels."""
        return sum(points[-1][1] for found, points in self.each(name) if labels.items() <= found.items())

    def rate(self, name: str, **labels: str) -> float:
        """Sum by how much the counters that have these labels rose a second."""
        total = sum(self._increase(points) for found, points in self.each(name) if labels.items() <= found.items())
        return total / self.seconds if self.seconds > 0 else 0.0

    def _increase(self, points: Points) -> float:
        # A counter that came later than its process's first reading began at nothing, as one that was set back does.
        before = points[0][1] if points[0][0] <= self.since else 0.0
        total = 0.0
        for _, value in points:
            total += value - before if value >= before else value
            before = value
        return total


def sum_up(readings: Readings) -> Fleet:
    """Sum up what was read; a target whose last reading is long before the others' is gone and counts no more."""
    targets = [Target(name, series) for name, series in sorted(readings.items())]
    latest = max((one.until for one in targets), default=0.0)
    targets = [one for one in targets if latest - one.until <= STALE_SECONDS]
    known = [one for one in targets if one.seconds > 0 and any(True for _ in one.each("dashify_process_slots"))]
    return Fleet(
        seconds=max((one.seconds for one in known), default=0.0),
        processes=[_process(one) for one in known],
        queues=_queues(known),
        model_slots=_model_slots(known),
        models_used=sum(one.last("dashify_model_slots_used") for one in known),
        models_waiting=sum(one.last("dashify_model_waiting") for one in known),
        dropped=sum(one.rate("dashify_published_total", outcome="dropped") for one in known),
        redis_away=sum(points[-1][1] == 0 for one in known for _, points in one.each("dashify_redis_available")),
        unknown=[one.name for one in targets if one not in known])


def _process(target: Target) -> Process:
    about = next(labels for labels, _ in target.each("dashify_process_slots"))
    return Process(
        target=target.name, role=about.get("role", ""), queue=about.get("queue", ""),
        slots=target.last("dashify_process_slots"), cores=target.rate("process_cpu_seconds_total"),
        memory_bytes=target.last("process_resident_memory_bytes"), sockets=target.last("dashify_sockets_open"),
        lag_seconds=max((value for _, points in target.each("dashify_loop_lag_seconds") for _, value in points),
                        default=0.0),
        requests=target.rate("dashify_http_request_seconds_count"), events=target.rate("dashify_socket_events_total"),
        deliveries=target.rate("dashify_deliveries_total"), heard=target.rate("dashify_heard_total", kind="event"),
        busy=target.rate("dashify_job_seconds_sum"), jobs=target.rate("dashify_job_seconds_count"))


def _queues(targets: Sequence[Target]) -> dict[str, QueueState]:
    """Take each queue's state from whoever counted it last; a scheduler that led before still shows what it knew.

    Who leads cannot be seen from outside, so of several the one that counts the most work is believed.
    """
    found: dict[str, QueueState] = {}
    for target in targets:
        for labels, points in target.each("dashify_queue_oldest_seconds"):
            queue = labels.get("queue", "")
            state = QueueState(
                queued=target.last("dashify_queue_jobs", queue=queue, state="queued"),
                dead=target.last("dashify_queue_jobs", queue=queue, state="dead"),
                oldest_seconds=points[-1][1], growth=_growth(target, queue))
            if queue not in found or state.queued > found[queue].queued:
                found[queue] = state
    return found


def _growth(target: Target, queue: str) -> float:
    for labels, points in target.each("dashify_queue_jobs"):
        if (labels.get("queue"), labels.get("state")) == (queue, "queued") and points[-1][0] > points[0][0]:
            return (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])
    return 0.0


def _model_slots(targets: Sequence[Target]) -> dict[str, float]:
    slots: dict[str, float] = {}
    for target in targets:
        for labels, points in target.each("dashify_model_slots"):
            host = labels.get("host", "")
            slots[host] = max(slots.get(host, 0.0), points[-1][1])
    return slots
