"""Our Lua writes RQ's data; here RQ's own classes and `rq info` read it back in every state that a job passes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from rq import Queue as RqQueue
from rq.executions import Execution
from rq.job import Job as RqJob
from rq.job import JobStatus
from rq.registry import clean_registries
from rq.serializers import JSONSerializer
from rq.worker import Worker

from dashify.clients.rq_lists import RUN, Claim, Place, RqLists, Settlement
from dashify.domain.jobs import Delivery, Queue
from dashify.domain.names import new_id
from dashify.gate import connect
from dashify.jobs.runner import Runner
from dashify.jobs.worker import JobWorker
from dashify.local.servers import Server
from dashify.settings import QUEUES

WORKER = "a-worker"


@pytest.fixture
def client(redis_server: Server) -> Iterator[redis.Redis]:
    opened = connect(redis_server.url, decode=False, timeout=5.0)
    yield opened
    opened.connection_pool.disconnect()


@pytest.fixture
def lists(client: redis.Redis) -> RqLists:
    return RqLists(client, Queue.AUDIT)


@pytest.fixture
def theirs(client: redis.Redis) -> RqQueue:
    return RqQueue("audit", connection=client, serializer=JSONSerializer)


def put(lists: RqLists, count: int = 1) -> list[str]:
    ids = [new_id() for _ in range(count)]
    assert lists.enqueue([Delivery(one, Queue.AUDIT) for one in ids]) == count
    return ids


def job(client: redis.Redis, job_id: str) -> RqJob:
    return RqJob.fetch(job_id, connection=client, serializer=JSONSerializer)


def places(theirs: RqQueue, job_id: str) -> list[str]:
    """Every list of RQ's that holds the job, as RQ's own classes tell."""
    held = {
        "queue": theirs.get_job_ids(), "started": theirs.started_job_registry.get_job_ids(),
        "scheduled": theirs.scheduled_job_registry.get_job_ids(), "failed": theirs.failed_job_registry.get_job_ids(),
        "finished": theirs.finished_job_registry.get_job_ids(), "deferred": theirs.deferred_job_registry.get_job_ids()}
    return [name for name, ids in held.items() if job_id in ids]


def info(redis_url: str) -> str:
    command = [str(Path(sys.executable).parent / "rq"), "info", "--url", redis_url, "--raw"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_rq_reads_a_waiting_job_as_its_own(lists: RqLists, theirs: RqQueue, client: redis.Redis) -> None:
    [job_id] = put(lists)
    read = job(client, job_id)
    assert (read.func_name, read.args, read.kwargs) == (RUN, [job_id], {})
    assert (read.get_status(), read.origin, read.description) == (JobStatus.QUEUED, "audit", f"audit job {job_id}")
    assert read.created_at
    assert read.enqueued_at
    assert places(theirs, job_id) == ["queue"]
    assert theirs in RqQueue.all(connection=client, serializer=JSONSerializer)


def test_rq_reads_a_running_job_with_its_execution_and_worker(lists: RqLists, theirs: RqQueue,
                                                              client: redis.Redis) -> None:
    [job_id] = put(lists)
    [claim] = lists.claim(5, WORKER)
    assert claim.job_id == job_id
    read = job(client, job_id)
    assert (read.get_status(), read.worker_name) == (JobStatus.STARTED, WORKER)
    assert read.started_at
    assert places(theirs, job_id) == ["started"]
    [execution] = read.get_executions()
    assert (execution.id, execution.worker_name) == (claim.execution, WORKER)
    assert Execution.fetch(claim.execution, job_id, client).job_id == job_id
    assert lists.list_holders(lists.list_claims()) == {claim: WORKER}


@pytest.mark.parametrize(("place", "status", "where"), [
    (Place.FRONT, JobStatus.QUEUED, ["queue"]), (Place.BACK, JobStatus.QUEUED, ["queue"]),
    (Place.LATER, JobStatus.SCHEDULED, ["scheduled"]), (Place.FAILED, JobStatus.FAILED, ["failed"]),
    (Place.GONE, None, [])])
def test_rq_finds_a_job_in_one_place_after_each_ending(lists: RqLists, theirs: RqQueue, client: redis.Redis,
                                                       place: Place, status: Any, where: list[str]) -> None:
    [job_id] = put(lists)
    [claim] = lists.claim(1, WORKER)
    due = datetime.now(UTC) + timedelta(hours=1)
    lists.settle(WORKER, [Settlement(claim, place, due=due.timestamp(), code="some_code")])
    assert places(theirs, job_id) == where
    assert lists.list_claims() == []
    assert client.keys("rq:execution*") == []
    assert client.smembers(f"rq:worker:{WORKER}:executions") == set()
    if status is None:
        assert not RqJob.exists(job_id, client)
        return
    read = job(client, job_id)
    assert read.get_status() == status
    assert read.get_executions() == []
    if place is Place.FAILED:
        assert read.exc_info == "some_code"


def test_a_claim_that_was_given_away_can_not_be_settled(lists: RqLists, theirs: RqQueue) -> None:
    [job_id] = put(lists)
    [late] = lists.claim(1, WORKER)
    assert lists.settle("nobody", [Settlement(late, Place.FRONT)]) == 0
    [second] = lists.claim(1, "another")
    assert lists.settle(WORKER, [Settlement(late, Place.GONE)]) == 0
    assert places(theirs, job_id) == ["started"]
    assert lists.settle("another", [Settlement(second, Place.GONE)]) == 1


def test_a_job_that_is_held_is_never_put_in_twice(lists: RqLists, theirs: RqQueue) -> None:
    [job_id] = put(lists)
    again = [Delivery(job_id, Queue.AUDIT)]
    assert lists.enqueue(again) == 0
    [claim] = lists.claim(1, WORKER)
    assert lists.enqueue(again) == 0
    lists.settle(WORKER, [Settlement(claim, Place.LATER, due=datetime.now(UTC).timestamp() + 3600)])
    assert lists.enqueue(again) == 0
    assert theirs.get_job_ids() == []


@pytest.mark.parametrize("lost", ["list", "claim", "scheduled"])
def test_a_job_whose_list_was_lost_is_put_in_again(lists: RqLists, theirs: RqQueue, client: redis.Redis,
                                                   lost: str) -> None:
    [job_id] = put(lists)
    if lost == "list":
        client.lrem("rq:queue:audit", 0, job_id)
    else:
        [claim] = lists.claim(1, WORKER)
    if lost == "claim":
        client.delete("rq:wip:audit")
    if lost == "scheduled":
        lists.settle(WORKER, [Settlement(claim, Place.LATER, due=datetime.now(UTC).timestamp() + 3600)])
        client.delete("rq:scheduled:audit")
    assert lists.enqueue([Delivery(job_id, Queue.AUDIT)]) == 1
    assert places(theirs, job_id) == ["queue"]


def test_a_job_goes_to_the_front_or_waits_for_its_time(lists: RqLists, theirs: RqQueue) -> None:
    first, second = put(lists, 2)
    urgent, later = new_id(), new_id()
    soon = datetime.now(UTC) + timedelta(hours=1)
    lists.enqueue([Delivery(urgent, Queue.AUDIT, front=True), Delivery(later, Queue.AUDIT, due_at=soon)])
    assert theirs.get_job_ids() == [urgent, first, second]
    assert places(theirs, later) == ["scheduled"]
    assert lists.promote() == 0
    due = new_id()
    lists.enqueue([Delivery(due, Queue.AUDIT, due_at=datetime.now(UTC) - timedelta(seconds=1))])
    assert lists.promote() == 1
    assert theirs.get_job_ids() == [urgent, first, second, due]
    assert [claim.job_id for claim in lists.claim(9, WORKER)] == [urgent, first, second, due]


def test_waiting_takes_nothing_and_changes_no_order(lists: RqLists, theirs: RqQueue) -> None:
    assert not lists.wait(1.0)
    ids = put(lists, 3)
    assert lists.wait(1.0)
    assert theirs.get_job_ids() == ids


def test_what_is_withdrawn_is_nowhere(lists: RqLists, theirs: RqQueue, client: redis.Redis) -> None:
    waiting, dead = put(lists), put(lists)
    [_, claim] = lists.claim(2, WORKER)
    assert claim.job_id == dead[0]
    lists.settle(WORKER, [Settlement(claim, Place.FAILED, code="x")])
    again = put(lists)
    lists.withdraw([*dead, *again])
    assert [places(theirs, one) for one in (*dead, *again)] == [[], []]
    assert places(theirs, waiting[0]) == ["started"]
    assert not RqJob.exists(dead[0], client)


def test_rq_info_and_rqs_cleaning_leave_running_jobs_alone(lists: RqLists, theirs: RqQueue, client: redis.Redis,
                                                           redis_server: Server) -> None:
    ids = put(lists, 3)
    lists.claim(2, WORKER)
    assert "queue audit 1, 2 executing, 0 finished, 0 failed" in info(redis_server.url)
    clean_registries(theirs)
    theirs.intermediate_queue.cleanup(Worker([theirs], connection=client, serializer=JSONSerializer), theirs)
    assert [places(theirs, one) for one in ids] == [["started"], ["started"], ["queue"]]


def test_rq_sees_our_worker_its_jobs_and_what_it_has_done(lists: RqLists, client: redis.Redis, redis_server: Server,
                                                          runner: Runner) -> None:
    class Lease:
        name, running, holds = "our-worker", 0, True

        def alive(self) -> None:
            pass

    ours = JobWorker(Queue.AUDIT, client, runner, Lease(), QUEUES["audit"], threading.Event(), 1.0)
    ours.register_birth()
    [done, _] = put(lists, 2)
    claims = lists.claim(2, "our-worker")
    [seen] = Worker.all(connection=client)
    assert (seen.name, seen.queue_names(), seen.pid) == ("our-worker", ["audit"], ours.pid)
    assert {one.job_id for one in seen.get_current_executions()} == {claim.job_id for claim in claims}
    lists.settle("our-worker", [Settlement(claims[0], Place.GONE)])
    [seen] = Worker.all(connection=client)
    assert (seen.successful_job_count, seen.failed_job_count) == (1, 0)
    assert "our-worker" in info(redis_server.url)
    assert done == claims[0].job_id
    ours.register_death()
    assert Worker.all(connection=client) == []


def test_rqs_own_worker_can_run_our_jobs(lists: RqLists, theirs: RqQueue, client: redis.Redis,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    from rq.worker import SimpleWorker

    ran: list[str] = []
    monkeypatch.setattr("dashify.jobs.runner.run", ran.append)
    ids = put(lists, 2)
    SimpleWorker([theirs], connection=client, serializer=JSONSerializer).work(burst=True, logging_level="ERROR")
    assert ran == ids
    assert [places(theirs, one) for one in ids] == [[], []]


def test_nothing_but_ids_and_names_is_in_redis(lists: RqLists, client: redis.Redis) -> None:
    [job_id] = put(lists)
    fields: dict[bytes, bytes] = client.hgetall(f"rq:job:{job_id}")  # type: ignore[assignment]
    assert fields[b"data"] == f'["{RUN}",null,["{job_id}"],{{}}]'.encode()
    assert Claim(job_id, "x") in {Claim(one.job_id, "x") for one in lists.claim(1, WORKER)}
