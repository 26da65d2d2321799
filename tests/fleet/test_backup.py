"""What was copied comes back after everything was lost, and what was not copied does not."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
import pytest

from tests.fleet import data
from tests.fleet.checks import open_database, ready
from tests.fleet.conftest import Playbook
from tests.fleet.hosts import Fleet
from tests.fleet.inventory import BALANCER
from tests.system.kit import Person, until

# What changes by itself while nobody does anything: who runs, who holds what, what was done when; and the epoch, which
# a restore renews.
RESTLESS = ("processes", "workers", "leases", "schedule_ticks", "installation")
ENDED = {"jobs": {"status": {"$in": ["done", "dead"]}}}
HOLDS_DATA = {"mongodb": ["data1"], "qdrant": ["data1"]}
BY_STANDINS = {"backup_mongodb_command": data.DUMP, "restore_mongodb_command": data.RESTORE, "backup_qdrant": False}


@pytest.fixture
def alice(site: Fleet) -> Iterator[Person]:
    """Somebody with a workspace that has something of everything."""
    alice = Person(BALANCER).sign_up("Alice", "Acme")
    bob = alice.invite("Bob")
    general = alice.general()
    for number in range(20):
        person = (alice, bob)[number % 2]
        person.ok("POST", f"/channels/{general}/messages", {"text": f"message {number} @Alice"})
    uploaded = alice.call("POST", "/documents", files={"file": ("okapi.md", b"# Okapis\n\nAn okapi licks its ears.\n")})
    document = uploaded.json()["document"]["id"]
    until(lambda: alice.ok("GET", f"/documents/{document}")["document"]["status"] == "ready", 60)
    until(lambda: finds(alice), 60, "the document found")
    return alice


def test_everything_comes_back_after_everything_was_lost(
        site: Fleet, alice: Person, playbook: Playbook, tmp_path: Path) -> None:
    general = alice.general()
    # What an open transaction kept from being sealed, here or in the test before, is sealed up to three minutes later.
    before, open_before = until(quiet, 300, "nothing going on"), open_jobs()
    read_before = what_alice_reads(alice, general)
    page = alice.connect()
    epoch = page.wait_for("hello")["epoch"]
    page.close()
    playbook("backup", groups=HOLDS_DATA, backup_folder=str(tmp_path), **BY_STANDINS)
    (backup,) = tmp_path.iterdir()
    alice.ok("POST", f"/channels/{general}/messages", {"text": "written after the backup"})
    # Qdrant's socket too, which would start it again with the next question.
    units = "standin-mongodb.service standin-qdrant{-proxy.socket,-proxy.service,.service}"
    site.hosts["data1"].run(f"bash -ec 'systemctl stop {units}; rm -rf /var/lib/standins/{{mongodb,qdrant}}/*; "
                            f"systemctl start {units}'")
    with open_database() as database:
        until(lambda: database.list_collection_names() is not None, 30)

    refused = playbook("restore", groups=HOLDS_DATA, succeeds=False, restore_from=str(backup), **BY_STANDINS)
    assert "Everything that was written since the backup" in refused.output
    playbook("restore", groups=HOLDS_DATA, restore_from=str(backup), restore_confirmed=True, **BY_STANDINS)

    with open_database() as database:
        assert database["jobs"].count_documents({"_id": {"$in": list(open_before)}}) == len(open_before)
    # What is found is compared with the database, and every document read again for it.
    deadline = time.monotonic() + 240
    while different := differing(before):
        assert time.monotonic() < deadline, (different, open_jobs())
        time.sleep(3)
    for name in ("api1", "api2"):
        until(lambda name=name: ready(site, name), 60, f"{name} ready")
    assert alice.call("GET", "/me").status_code == 401, "sessions are not of the backup"
    again = Person(BALANCER).sign_in(alice.user["email"])
    assert what_alice_reads(again, general) == read_before
    until(lambda: finds(again), 90, "the document found again")
    page = again.connect()
    assert page.wait_for("hello")["epoch"] != epoch, "pages are told to load everything again"
    page.close()


def what_alice_reads(alice: Person, general: str) -> Any:
    """Read everything of it as people do."""
    documents = alice.ok("GET", "/documents")["documents"]
    originals = [alice.http.get(f"{BALANCER}/api/v1/documents/{document['id']}/file", timeout=20).content
                 for document in documents]
    return (alice.ok("GET", f"/channels/{general}/messages?limit=100"), documents, originals,
            alice.ok("GET", "/notifications"), alice.ok("GET", "/channels"))


def finds(person: Person) -> bool:
    """Tell whether the search finds the document."""
    answer = person.call("GET", "/search?q=okapi")
    return answer.status_code == 200 and "ears" in str(answer.json()["results"])


def contents() -> dict[str, set[bytes]]:
    """Give a checksum of each row of every collection that rests; of jobs, those that have ended."""
    with open_database() as database:
        return {name: {hashlib.sha256(bson.encode(row)).digest() for row in database[name].find(ENDED.get(name, {}))}
                for name in sorted(database.list_collection_names())
                if name not in RESTLESS and database[name].find_one() is not None}


def differing(before: dict[str, set[bytes]]) -> set[str]:
    """Name what is not as it was. A restore asks for jobs itself, and ends all sessions."""
    after = contents()
    odd = {name for name in {*before, *after} - {"jobs", "sessions"} if before.get(name) != after.get(name)}
    odd |= set() if after["jobs"] >= before["jobs"] else {"jobs"}
    return odd | (set() if len(after["sessions"]) == len(before["sessions"]) else {"sessions"})


def open_jobs(**due: Any) -> dict[str, str]:
    """Give the kinds of jobs that have not ended, and how far each is; all, or those that are due as asked."""
    with open_database() as database:
        return {row["_id"]: f"{row['kind']} {row['status']}"
                for row in database["jobs"].find({"status": {"$nin": ["done", "dead"]}, **due})}


def quiet() -> dict[str, set[bytes]] | None:
    """Give the contents, if nothing changes for some seconds and nothing waits that would, jobs or entries to seal."""
    with open_database() as database:
        if database["audit"].find_one({"number": None}) is not None:
            return None
    first = contents()
    time.sleep(5)
    return first if contents() == first and not open_jobs(due_at={"$lte": datetime.now(UTC)}) else None
