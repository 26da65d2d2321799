"""A worker process: RQ's worker without forks, for one queue. It outlives Redis's outages and stops in good order."""

from __future__ import annotations

import logging
import os
import signal
import threading
from types import FrameType

import redis
from prometheus_client import start_http_server
from redis.exceptions import RedisError
from rq.exceptions import DequeueTimeout
from rq.job import Job
from rq.queue import Queue as RqQueue
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from rq.worker import SimpleWorker
from rq.worker.base import WorkerStatus

from dashify.clients.queue import rq_queue
from dashify.domain.jobs import Queue
from dashify.gate import connect
from dashify.jobs.runner import Runner, open_runner
from dashify.jobs.schedule import Sweeper
from dashify.settings import Settings

log = logging.getLogger(__name__)

POLL_SECONDS = 1
REDIS_PAUSE_SECONDS = 0.5
_REDIS_TIMEOUT = 5.0
_WORKER_TTL = 60
_CLEAN_SECONDS = 60


class QueueWorker(SimpleWorker):
    """RQ's worker for one queue: no fork, no remote commands, no signals of its own. It ends when `stopping` is set."""

    death_penalty_class = TimerDeathPenalty

    def __init__(self, queue: Queue, client: redis.Redis, stopping: threading.Event) -> None:
        super().__init__([rq_queue(queue, client)], connection=client, serializer=JSONSerializer,
                         worker_ttl=_WORKER_TTL, maintenance_interval=_CLEAN_SECONDS, log_job_description=False)
        self._stopping = stopping

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None,
    ) -> tuple[Job, RqQueue] | None:
        """Wait for a job, or give None once the worker is to stop."""
        self.set_state(WorkerStatus.IDLE)
        while not self._stopping.is_set():
            self.heartbeat()
            if self.should_run_maintenance_tasks:
                self.run_maintenance_tasks()  # type: ignore[no-untyped-call] # RQ has not typed it
            try:
                found: tuple[Job, RqQueue] | None = self.queue_class.dequeue_any(
                    self.queues, POLL_SECONDS, connection=self.connection, job_class=self.job_class,
                    serializer=self.serializer, death_penalty_class=self.death_penalty_class)
            except DequeueTimeout:
                continue
            if found is not None:
                found[0].redis_server_version = self.get_redis_server_version()  # type: ignore[no-untyped-call] # the same
                return found
        return None

    def subscribe(self) -> None:
        """Take no commands: whoever can write to Redis could stop workers with them."""

    def _install_signal_handlers(self) -> None:
        """Leave signals to the process."""


def serve(queue: Queue, settings: Settings) -> None:
    """Work on `queue` until SIGTERM or SIGINT; then finish what runs, or give it back when that takes too long."""
    stopping = _stop_on_signals()
    _serve_metrics(settings)
    runner = open_runner(settings)
    threading.Thread(target=_limit_stop, args=(stopping, runner, settings.worker_stop_seconds), daemon=True).start()
    log.info("Worker started", extra={"queue": queue.value})
    while not stopping.is_set():
        client = connect(settings.redis_url, timeout=_REDIS_TIMEOUT, decode=False, pool_size=4)
        try:
            QueueWorker(queue, client, stopping).work(logging_level="WARNING")
        except RedisError as error:
            log.warning("Redis is away: %s", error)
        except Exception:  # RQ's own troubles must not end the worker: rows wait in MongoDB for it
            log.exception("RQ's worker ended; starting another")
        finally:
            client.connection_pool.disconnect()
        stopping.wait(REDIS_PAUSE_SECONDS)
    runner.resources.close()
    log.info("Worker stopped", extra={"queue": queue.value})


def serve_schedule(settings: Settings) -> None:
    """Sweep until SIGTERM or SIGINT."""
    stopping = _stop_on_signals()
    _serve_metrics(settings)
    runner = open_runner(settings)
    log.info("Scheduler started")
    Sweeper(runner.platform, runner.resources.dispatcher).run(stopping)
    runner.resources.close()
    log.info("Scheduler stopped")


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    return stopping


def _limit_stop(stopping: threading.Event, runner: Runner, seconds: float) -> None:
    """Once stopping, wait for the job that runs; after `seconds` give it back and end the process at once."""
    stopping.wait()
    threading.Event().wait(seconds)
    given_back = runner.leases.give_back_all()
    log.warning("Stopped in the middle of %d jobs, which were given back", given_back)
    # A job may sit in a call that nothing interrupts; its row is safe, so there is nothing left to wait for.
    os._exit(0)


def _serve_metrics(settings: Settings) -> None:
    if settings.metrics_port > 0:
        start_http_server(settings.metrics_port, addr="127.0.0.1")
