"""The processes: a worker for one queue, and the scheduler. How they begin and stop, and are made to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from gevent import monkey
from prometheus_client import start_http_server

from dashify import metrics
from dashify.domain.fleet import SCHEDULER, WORKER
from dashify.domain.jobs import Queue
from dashify.errors import Unavailable
from dashify.jobs.leases import WorkerLease
from dashify.jobs.runner import Runner, open_runner
from dashify.jobs.schedule import Scheduler
from dashify.jobs.sweeper import Sweeper
from dashify.jobs.watch import Watch
from dashify.jobs.worker import JobWorker, LeaseLost, Stuck
from dashify.later import import_all
from dashify.resources import Resources
from dashify.settings import Settings
from dashify.stores.job_book import JobBook
from dashify.stores.schedule import Leadership
from dashify.stores.workers import Clock

log = logging.getLogger(__name__)

SWEEPER = "sweeper"
_ASK_MODELS = (Queue.ASSISTANT, Queue.INDEXER)
_REDIS_TIMEOUT = 5.0
_PAUSE_SECONDS = 0.5
_EXTRA_STOP_SECONDS = 3.0
_start_native: Callable[..., int] = monkey.get_original("_thread", "start_new_thread")
_native_sleep: Callable[[float], None] = monkey.get_original("time", "sleep")


def serve(queue: Queue, settings: Settings) -> int:
    """Work on `queue` until SIGTERM or SIGINT; then finish what runs, or give it back when that takes too long.

    Give the exit status: 3 where the database has left this release behind, 1 where the process must end and another
    may begin, else 0.
    """
    names: list[str] = []
    stopping = _stop_on_signals(lambda: _start_native(_force_stop, (settings, names)))
    _serve_metrics(settings)
    metrics.process_slots.labels(WORKER, queue.value).set(settings.queues[queue.value].concurrency)
    if queue in _ASK_MODELS:
        import_all()
    runner = open_runner(settings)
    standing = Watch(runner.resources.standing, f"worker {queue.value}", stopping)
    if not standing.begin():
        runner.resources.close()
        return standing.status
    sweeper = Sweeper(runner, [queue], _leads_sweeping(runner))
    threading.Thread(target=sweeper.run, args=(stopping,), name="sweeper", daemon=True).start()
    log.info("Worker started", extra={"queue": queue.value})
    status = 0
    while not stopping.is_set() and status == 0:
        status = _serve_once(queue, settings, runner, stopping, names)
    runner.resources.close()
    log.info("Worker stopped", extra={"queue": queue.value})
    return status or standing.status


def _serve_once(queue: Queue, settings: Settings, runner: Runner, stopping: threading.Event, names: list[str]) -> int:
    """Work under one lease, until told to stop or the lease is lost; give 1 where the process has to end."""
    lease = WorkerLease(queue, settings)
    client = runner.resources.queues_gate.client(timeout=_REDIS_TIMEOUT, decode=False, pool_size=4)
    try:
        lease.begin(runner.workers)
        names[:] = [lease.name]
        policy = settings.queues[queue.value]
        JobWorker(queue, client, runner, lease, policy, stopping, settings.worker_stop_seconds).serve()
        return 0
    except Unavailable as error:
        log.warning("The worker waits: %s", error.code)
    except LeaseLost:
        log.warning("This worker was silent for too long; its jobs were given away, and it begins anew")
    except Stuck:
        log.error("A job cannot be stopped; this process ends")
        return 1
    except Exception:  # whatever it was, jobs wait
        log.exception("The worker ended; starting another")
    finally:
        _release(lease, runner)
        client.connection_pool.disconnect()
    stopping.wait(_PAUSE_SECONDS)
    return 0


def serve_schedule(settings: Settings) -> int:
    """Tick, and sweep every queue, until SIGTERM or SIGINT; give the exit status, see `serve`."""
    stopping = _stop_on_signals(lambda: None)
    _serve_metrics(settings)
    metrics.process_slots.labels(SCHEDULER, "").set(0)
    runner = open_runner(settings)
    standing = Watch(runner.resources.standing, "scheduler", stopping)
    if not standing.begin():
        runner.resources.close()
        return standing.status
    log.info("Scheduler started")
    scheduler = Scheduler(runner.platform, runner.clock)
    sweeper = Sweeper(runner, list(Queue), _leads_sweeping(runner))
    sweeping = threading.Thread(target=sweeper.run, args=(stopping,), name="sweeper", daemon=True)
    sweeping.start()
    scheduler.run(stopping)
    sweeping.join(_PAUSE_SECONDS * 4)
    runner.resources.close()
    log.info("Scheduler stopped")
    return standing.status


def _leads_sweeping(runner: Runner) -> Callable[[Queue], bool]:
    """Give what tells whether this process is the one that resends a queue's jobs, among all that could."""
    holder = f"{os.getpid()}-{os.urandom(4).hex()}"
    roles = {queue: Leadership(runner.resources.database, runner.clock, f"{SWEEPER}-{queue.value}", holder)
             for queue in Queue}
    return lambda queue: roles[queue].lead() is not None


def _release(lease: WorkerLease, runner: Runner) -> None:
    try:
        lease.release(runner.workers)
    except Unavailable:
        log.warning("The lease could not be given up; it will end")


def _stop_on_signals(first: Callable[[], object]) -> threading.Event:
    """Give an event that SIGTERM and SIGINT set; the first of them also calls `first`."""
    stopping = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        if not stopping.is_set():
            stopping.set()
            first()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    return stopping


def _force_stop(settings: Settings, names: list[str]) -> None:
    """End the process where the loop itself hangs in a job: give everything back from a native thread, and go."""
    _native_sleep(settings.worker_stop_seconds + _EXTRA_STOP_SECONDS)
    resources = Resources(settings)
    try:
        book = JobBook(resources.database, Clock(resources.database))
        for name in names:
            book.put_back(sorted(book.list_claimed(name)), name)
    finally:
        os._exit(0)


def _serve_metrics(settings: Settings) -> None:
    if settings.metrics_port > 0:
        start_http_server(settings.metrics_port, addr="127.0.0.1")
