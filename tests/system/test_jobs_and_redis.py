from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from dashify.domain.names import new_id
from dashify.local.servers import running_redis
from dashify.resources import Resources
from dashify.settings import Settings
from tests.system.kit import Instance, Person, until

Start = Callable[..., subprocess.Popen[bytes]]
ASKED = 400
CALLERS = 8


def ask_through_a_restart(own: Settings, folder: Path, restart: Callable[[], None], asked: int) -> tuple[int, int]:
    """Invite `asked` people over two instances while Redis is restarted; give how many were acknowledged and refused.

    Each acknowledged invitation has a job in MongoDB, or had one that is done.
    """
    instances = [Instance(own, f"api-{number}", folder) for number in (1, 2)]
    try:
        for instance in instances:
            until(instance.ready, 30, "an instance")
        owner = Person(instances[0].url).sign_up("Alice", "Acme")
        half = threading.Event()
        statuses: list[int] = []

        def invite(number: int) -> None:
            answer = owner.call("POST", "/invitations", {"email": f"{new_id()}@acme.test", "role": "member"},
                                url=instances[number % 2].url)
            statuses.append(answer.status_code)
            if len(statuses) >= asked // 2:
                half.set()

        with ThreadPoolExecutor(CALLERS) as pool:
            asking = [pool.submit(invite, number) for number in range(asked)]
            assert half.wait(120)
            restart()  # by this thread: a server ends with the thread that started it
            for one in asking:
                one.result()
        assert set(statuses) <= {201, 503}
        return statuses.count(201), statuses.count(503)
    finally:
        for instance in instances:
            instance.end()


def test_the_job_of_every_acknowledged_request_runs_though_redis_was_restarted_meanwhile(
        settings: Settings, tmp_path: Path, start_worker: Start) -> None:
    with running_redis(tmp_path / "redis") as redis:
        own = replace(settings, redis_url=redis.url, mongodb_database=f"dashify_redis_{time.time_ns()}",
                      mail_url=(tmp_path / "mails").as_uri())
        resources = Resources(own)
        start_worker("emails", own=own)
        start_worker("--scheduler", own=own)

        def restart() -> None:
            redis.kill()
            time.sleep(1.0)
            redis.start()

        acknowledged, _ = ask_through_a_restart(own, tmp_path, restart, ASKED)
        jobs = resources.database["jobs"]
        asked_for = {"kind": "send_invitation"}
        assert jobs.count_documents(asked_for) >= acknowledged > ASKED // 4
        until(lambda: jobs.count_documents({**asked_for, "status": {"$ne": "done"}}) == 0, 60, "every job done")
        mails = len(list((tmp_path / "mails").glob("*.eml")))
        assert mails == jobs.count_documents(asked_for)
        resources.close()
