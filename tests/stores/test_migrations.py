"""Migrations: on a new database and an old one, killed, two at once, refused; and what a change of indexes asks for."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pymongo import ASCENDING, IndexModel
from pymongo.database import Database

from dashify.domain.names import new_id
from dashify.errors import Outdated, Unavailable
from dashify.resources import Resources
from dashify.stores.indexes import INDEXES, name_of
from dashify.stores.migrating import Migrator, migrate
from dashify.stores.migrations import MIGRATIONS, NEEDED, SCHEMA, Migration, MigrationFailed, Phase, Step
from dashify.stores.mongo import Document
from dashify.stores.schedule import Leadership
from dashify.stores.schema import Processes, Reached, Schema, Standing
from dashify.stores.turn import ROLE
from dashify.stores.workers import Clock
from tests.stores.slow_migration import BATCH, SLOW
from tests.system.kit import until

ROOT = Path(__file__).resolve().parents[2]
# What INDEXES was when each schema number was made. A released number's line never changes.
FINGERPRINTS = {1: "fd7d005d43cc6002", 2: "ba7a17535c78c77f"}
Known = Database[Document]


@pytest.fixture
def database(resources: Resources) -> Known:
    """A database that nobody has ever used. It stays: what was killed may still hold rows of it."""
    return resources.mongo.get_database(f"dashify_{new_id()}", codec_options=resources.database.codec_options)


def release(*phases: Phase, work: Callable[[Step], None] = lambda step: None) -> tuple[Migration, ...]:
    """Give a release's migrations, numbered from 1; the last one does `work`."""
    last = len(phases)
    return tuple(Migration(number, f"change {number}", phase, work if number == last else lambda step: None)
                 for number, phase in enumerate(phases, 1))


def migrator(database: Known, migrations: tuple[Migration, ...], said: list[str] | None = None,
             indexes: dict[str, list[IndexModel]] | None = None) -> Migrator:
    heard = [] if said is None else said
    return Migrator(database, migrations=migrations, say=heard.append, indexes=indexes or {})


def standing(database: Known, schema: int, needed: int, instance: str = "api-9") -> Standing:
    return Standing(database, Clock(database), instance, schema=schema, needed=needed)


def indexes_of(database: Known) -> dict[str, set[str]]:
    return {name: set(database[name].index_information()) - {"_id_"} for name in INDEXES}


EXPAND, CONTRACT = Phase.EXPAND, Phase.CONTRACT
WANTED = {name: {name_of(index) for index in indexes} for name, indexes in INDEXES.items()}


def fingerprint() -> str:
    described = {name: sorted(json.dumps(index.document, sort_keys=True, default=str) for index in indexes)
                 for name, indexes in INDEXES.items()}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]


def test_a_change_of_the_indexes_comes_with_a_migration() -> None:
    known = FINGERPRINTS[max(number for number in FINGERPRINTS if number <= SCHEMA)]
    new = SCHEMA + 1
    assert fingerprint() == known, (
        "INDEXES has changed, and databases that exist do not know it. Add a migration to stores/migrations.py: "
        f"`Migration({new}, …, Phase.EXPAND, only_indexes)` builds what is new, `step.expire` changes a time, and what "
        "was taken out is dropped by a contract migration of the next release. Then add "
        f"{new}: {fingerprint()!r} to FINGERPRINTS.")


def test_the_migrations_are_numbered_in_order_and_begin_with_the_first_indexes() -> None:
    assert [one.number for one in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
    assert MIGRATIONS[0].phase is EXPAND
    assert len({one.name for one in MIGRATIONS}) == len(MIGRATIONS)
    assert MIGRATIONS[-1].number == SCHEMA
    assert max(one.number for one in MIGRATIONS if one.phase is EXPAND) == NEEDED


def test_a_new_database_gets_every_index_and_its_number(database: Known) -> None:
    assert Schema(database).read() == Reached(0, 0)
    migrate(database)
    assert indexes_of(database) == WANTED
    assert Schema(database).read() == Reached(NEEDED, 0)
    assert len(database["installation"].find_one({})["epoch"]) > 10  # type: ignore[index]  # it is there
    standing(database, SCHEMA, NEEDED).check()


def test_a_database_from_before_the_record_is_adopted_as_it_is(database: Known) -> None:
    for name, indexes in INDEXES.items():
        database[name].create_indexes(indexes)
    database["installation"].insert_one({"_id": "installation", "epoch": "of long ago"})
    database["tenants"].insert_one({"_id": "acme", "name": "Acme", "created_at": datetime.now(UTC)})
    said: list[str] = []
    Migrator(database, say=said.append).run()
    assert not [line for line in said if "building" in line]
    assert database["installation"].find_one({}) == {"_id": "installation", "epoch": "of long ago", "schema": NEEDED}
    assert database["tenants"].find_one({})["name"] == "Acme"  # type: ignore[index]  # it is there


def test_what_was_done_is_not_done_again_but_a_lost_index_is_built(database: Known) -> None:
    looked: list[int] = []
    mine = release(EXPAND, EXPAND, work=lambda step: looked.append(1))
    migrator(database, mine, indexes=INDEXES).run()
    database["users"].drop_index("email_1")
    said: list[str] = []
    migrator(database, mine, said, INDEXES).run()
    assert looked == [1]
    assert said == ["    users: building email_1"]
    assert indexes_of(database) == WANTED


def test_a_killed_run_goes_on_where_it_was(database: Known) -> None:
    rows: list[Document] = [{"_id": f"{number:03}", "born": 1950} for number in range(100)]
    database["people.known"].insert_many([*rows, {"_id": "zz", "born": 1850}])
    host, port = database.client.address or ("", 0)
    command = [sys.executable, "-m", "tests.stores.slow_migration",
               f"mongodb://{host}:{port}/?directConnection=true", database.name]
    process = subprocess.Popen(command, cwd=ROOT)
    until(lambda: database["people.known"].count_documents({"greeted": True}) >= 4 * BATCH, 30, "four batches")
    process.kill()
    process.wait()
    done = database["people.known"].count_documents({"greeted": True})
    assert done < 100
    assert Schema(database).read().schema < len(SLOW)
    said: list[str] = []
    began = time.monotonic()
    Migrator(database, migrations=SLOW, say=said.append).run()
    assert time.monotonic() - began < 25  # the dead one's turn ends within 10 s
    assert f"{len(SLOW)} (expand) greet everybody, going on" in said
    assert any("waiting for it to end" in line for line in said)
    looks = [row["looks"] for row in database["people.known"].find({"born": 1950})]
    assert len(looks) == 100
    # Only the batch that was worked on when it died was looked at again.
    assert set(looks) <= {1, 2}
    assert looks.count(2) <= BATCH
    assert "greeted" not in (database["people.known"].find_one({"_id": "zz"}) or {})
    assert Schema(database).read().schema == len(SLOW)


def test_of_two_at_once_one_waits_and_says_for_whom(database: Known) -> None:
    began, go_on, times = threading.Event(), threading.Event(), []

    def work(step: Step) -> None:
        times.append(1)
        began.set()
        assert go_on.wait(20)

    mine, said = release(EXPAND, work=work), list[str]()
    first = migrator(database, mine)
    threads = [threading.Thread(target=first.run), threading.Thread(target=migrator(database, mine, said).run)]
    threads[0].start()
    assert began.wait(20)
    threads[1].start()
    until(lambda: said, 10, "the second's word")
    time.sleep(3)  # longer than the turn would hold if nobody kept it for this test's first beats
    assert said == [f"{first.turn.name} is migrating this database; waiting for it to end."]
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert times == [1]
    assert len(said) == 1
    assert Schema(database).read().schema == 1


def test_nobody_waits_for_itself(database: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver asks again when an answer is lost; then the turn is ours, and we are told that it is taken."""
    lead, tries, said = Leadership.lead, list[int | None](), list[str]()

    def answer_is_lost(leadership: Leadership) -> int | None:
        tries.append(lead(leadership))
        return None if len(tries) == 1 else tries[-1]

    monkeypatch.setattr(Leadership, "lead", answer_is_lost)
    done: list[int] = []
    migrator(database, release(EXPAND, work=lambda step: done.append(1)), said).run()
    assert tries[0] == tries[1] == 1
    assert done == [1]
    assert not any("is migrating" in line for line in said)


def test_who_has_lost_the_turn_changes_nothing_more(database: Known) -> None:
    def freeze(step: Step) -> None:
        """Be silent for so long that another takes over."""
        clock = Clock(step.database)
        step.database["leases"].update_one({"_id": ROLE}, {"$set": {"until": clock.now() - timedelta(seconds=1)}})
        assert Leadership(step.database, clock, ROLE, "another").lead()
        time.sleep(4)
        for _ in step.batches("people", {}):
            raise AssertionError("it went on")

    database["people"].insert_one({"_id": 1})
    with pytest.raises(MigrationFailed, match="lost its turn"):
        migrator(database, release(EXPAND, work=freeze)).run()
    assert Schema(database).read().schema == 0


def test_doubles_keep_a_unique_index_from_being_and_the_schema_from_being_reached(database: Known) -> None:
    unique = {"people": [IndexModel([("email", ASCENDING)], unique=True)]}
    database["people"].insert_many([{"_id": 1, "email": "a@b.test"}, {"_id": 2, "email": "a@b.test"}])
    with pytest.raises(MigrationFailed, match=r"index of people is to be unique.*email_1") as failed:
        migrator(database, release(EXPAND), indexes=unique).run()
    assert "a@b.test" not in failed.value.message
    assert Schema(database).read().schema == 0
    database["people"].delete_one({"_id": 2})
    migrator(database, release(EXPAND), indexes=unique).run()
    assert Schema(database).read().schema == 1
    assert "email_1" in database["people"].index_information()


def test_a_migration_may_remove_doubles_first_and_begins_anew_when_there_are_more(database: Known) -> None:
    unique = {"people": [IndexModel([("email", ASCENDING)], unique=True)]}
    database["people"].insert_many([{"_id": number, "email": "a@b.test"} for number in (1, 2)])
    late = [{"_id": 0, "email": "a@b.test"}]

    def work(step: Step) -> None:
        for people in step.batches("people", {}, 1):
            step.database["people"].delete_many({"email": people[0]["email"], "_id": {"$gt": people[0]["_id"]}})
        if late:  # an older release that runs, behind where we are
            step.database["people"].insert_one(late.pop())
        step.build("people", "email_1")

    mine = release(EXPAND, work=work)
    with pytest.raises(MigrationFailed, match="run it again"):
        migrator(database, mine, indexes=unique).run()
    migrator(database, mine, indexes=unique).run()
    assert [row["_id"] for row in database["people"].find()] == [0]
    assert "email_1" in database["people"].index_information()


def test_a_release_that_needs_more_than_there_is_waits_and_an_older_one_runs_on(database: Known) -> None:
    old, new = standing(database, 1, 1), standing(database, 2, 2)
    migrator(database, release(EXPAND)).run()
    old.check()
    with pytest.raises(Unavailable, match=r"at schema 1 and this release needs 2: run `dashify migrate`") as waits:
        new.check()
    assert (waits.value.code, new.behind, new.holds, old.holds) == ("schema_behind", True, False, True)
    migrator(database, release(EXPAND, EXPAND)).run()
    until(lambda: new.holds, 2, "the new release's standing")
    old.check()


def test_a_contract_waits_to_be_asked_for_and_then_forbids_older_releases(database: Known) -> None:
    looked: list[int] = []
    mine = release(EXPAND, EXPAND, CONTRACT, work=lambda step: looked.append(1))
    migrator(database, mine[:2]).run()
    migrator(database, mine).run()
    assert (looked, Schema(database).read()) == ([], Reached(2, 0))
    older = standing(database, 2, 2)
    older.check()
    with pytest.raises(MigrationFailed, match=r"older release run.*api-9 \(process on .*, schema 2\)"):
        migrator(database, mine).run(contract=True)
    assert (looked, Schema(database).read()) == ([], Reached(2, 0))
    older.leave()
    migrator(database, mine).run(contract=True)
    assert (looked, Schema(database).read()) == ([1], Reached(2, 3))
    with pytest.raises(Outdated, match=r"\(schema 2\) is too old for the database.*schema 3 or later") as refused:
        standing(database, 2, 2).check()
    assert "\n" not in refused.value.message
    standing(database, 3, 2).check()
    with pytest.raises(Outdated):
        migrator(database, mine[:2]).run()
    assert migrator(database, mine).pending(CONTRACT) == []


def test_a_contract_begins_once_those_have_ended_who_came_in_between(database: Known) -> None:
    migrator(database, release(EXPAND)).run()
    late = standing(database, 1, 1, "api-late")
    heard = list[str]()
    mine = migrator(database, release(EXPAND, CONTRACT), heard)
    forbid = mine._schema.forbid_below

    def forbid_late(oldest: int) -> None:
        late.check()  # between the look at who runs and the word that they may not
        forbid(oldest)

    mine._schema.forbid_below = forbid_late  # type: ignore[method-assign]
    thread = threading.Thread(target=lambda: mine.run(contract=True))
    thread.start()
    until(lambda: any("waiting for processes" in line for line in heard), 10, "the wait")
    time.sleep(1)
    assert migrator(database, release(EXPAND, CONTRACT)).pending(CONTRACT)
    with pytest.raises(Outdated):
        late.check()
    late.leave()
    thread.join(10)
    assert not migrator(database, release(EXPAND, CONTRACT)).pending(CONTRACT)


def test_a_release_is_not_left_out_while_the_one_before_it_runs(database: Known) -> None:
    migrator(database, release(EXPAND)).run()
    database["tenants"].insert_one({"_id": "acme"})
    first = standing(database, 1, 1)
    first.check()
    third = release(EXPAND, EXPAND, CONTRACT)
    with pytest.raises(MigrationFailed, match="a release was left out"):
        migrator(database, third).run()
    assert Schema(database).read() == Reached(1, 0)
    first.leave()
    migrator(database, third).run()
    assert Schema(database).read() == Reached(2, 2)
    with pytest.raises(Outdated):
        first.check()
    standing(database, 2, 2).check()


def test_only_a_contract_drops_an_index_and_what_is_not_known_stays(database: Known) -> None:
    kept = {"people": [IndexModel([("name", ASCENDING)])]}
    database["people"].create_index("nickname")
    database["people"].create_index("of_the_operator")

    def drop(step: Step) -> None:
        step.drop("people", "nickname_1", "gone_1")

    with pytest.raises(MigrationFailed, match="Only a contract migration"):
        migrator(database, release(EXPAND, work=drop), indexes=kept).run()
    with pytest.raises(MigrationFailed, match="one that INDEXES does not have"):
        migrator(database, release(EXPAND, CONTRACT, work=lambda step: step.drop("people", "name_1")),
                 indexes=kept).run(contract=True)
    assert set(database["people"].index_information()) == {"_id_", "name_1", "nickname_1", "of_the_operator_1"}
    migrator(database, release(EXPAND, CONTRACT, work=drop), indexes=kept).run(contract=True)
    assert set(database["people"].index_information()) == {"_id_", "name_1", "of_the_operator_1"}


def test_a_process_counts_until_it_leaves_or_its_minute_is_over(database: Known) -> None:
    processes, one = Processes(database, Clock(database)), standing(database, 1, 0)
    one.check()
    one.check()
    [row] = processes.list_below(2)
    assert (row["name"], row["schema"]) == ("api-9", 1)
    assert processes.list_below(1) == []
    database["processes"].update_one({}, {"$set": {"until": datetime.now(UTC) - timedelta(seconds=1)}})
    assert processes.list_below(2) == []
    one.leave()
    assert database["processes"].count_documents({}) == 0
    standing(database, 1, 0).leave()  # which never said that it runs


def test_an_index_that_does_something_else_is_found_and_changed_by_a_migration_only(database: Known) -> None:
    database["people"].create_index("at", expireAfterSeconds=5)
    wanted = {"people": [IndexModel([("at", ASCENDING)], expireAfterSeconds=9)]}
    with pytest.raises(MigrationFailed, match=r"not as this release has them.*people\.at_1"):
        migrator(database, release(EXPAND), indexes=wanted).run()
    assert Schema(database).read().schema == 0
    mine = release(EXPAND, EXPAND, work=lambda step: step.expire("people", "at_1"))
    migrator(database, mine, indexes=wanted).run()
    assert Schema(database).read().schema == 2
    assert database["people"].index_information()["at_1"]["expireAfterSeconds"] == 9
