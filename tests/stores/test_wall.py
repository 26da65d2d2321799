"""Every method of every repository, called by Carol of Globex with all that can be known of Acme.

The methods are found by reflection: a new repository or method is covered at once, and a new parameter fails here until
`acme_values` says what Acme's value of it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, get_type_hints

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.errors import DuplicateKeyError

from dashify.context import Context
from dashify.domain.accounts import Role
from dashify.domain.answers import AnswerStatus
from dashify.domain.chat import Delete, Post
from dashify.domain.jobs import Job, JobStatus, Queue
from dashify.domain.knowledge import DocumentStatus, Visibility
from dashify.domain.names import new_id
from dashify.errors import Conflict, DashifyError, NotFound
from dashify.resources import Resources
from dashify.services import channels, chat, documents, folders, people, versions
from dashify.services.audit import seal_entries
from dashify.services.documents import Place
from dashify.settings import Settings
from dashify.stores.job_book import JobBook
from dashify.stores.migrating import migrate
from dashify.stores.mongo import Document
from dashify.stores.store import Store
from dashify.stores.workers import Clock

REFUSALS = (NotFound, Conflict, DuplicateKeyError)
# What a method gives that is neither nothing nor any of Acme's: what Carol has of her own, or has just made.
OWN_ANSWERS = {"People.count_active_owners": 1, "People.count_joined": 1, "People.count_people": 1,
               "Memberships.add": True}
Snapshot = dict[str, list[bytes]]


@dataclass(frozen=True)
class Acme:
    """One organization with something in every collection of the store, and what names it."""

    store: Store
    tenant_id: str
    values: dict[str, Any]


def repository_methods() -> Iterator[tuple[str, str]]:
    """Every public method as (attribute of the store, method)."""
    for attribute, found in vars(Store).items():
        if isinstance(found, cached_property):
            repository = get_type_hints(found.func)["return"]
            for name, method in vars(repository).items():
                if callable(method) and not name.startswith("_"):
                    yield attribute, name


METHODS = list(repository_methods())
READING = [(attribute, name) for attribute, name in METHODS if name.startswith(("get", "find", "list", "count"))]
WRITING = [method for method in METHODS if method not in READING]


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """An installation of this file's own: all of it is read before and after each call."""
    return replace(settings, mongodb_database="dashify_wall_tests")


@pytest.fixture(scope="module")
def resources(settings: Settings) -> Iterator[Resources]:
    opened = Resources(settings)
    migrate(opened.database)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def nobody_else(resources: Resources) -> None:
    """Forget the people of the tests before, or reading all of it takes longer with each of them."""
    for name in resources.database.list_collection_names():
        resources.database[name].delete_many({})


@pytest.fixture
def acme(alice: Context, join: Callable[..., Context], refreshed: Callable[[Context], Context],
         resources: Resources) -> Acme:
    bob = join(alice, "Bob")
    invitation = people.invite(alice, f"{new_id()}@acme.test", Role.MEMBER)["invitation"]
    general = channels.list_channels(alice, None, 50)["channels"][0]["id"]
    secret = channels.create_channel(alice, "Secret plans", True, [])["id"]
    message = chat.post_message(bob, general, "Hello @Alice of Acme", "client-1", None)[0]
    chat.post_message(refreshed(alice), secret, "Nobody else may read this", "client-2", None)
    job = alice.unit(lambda unit: unit.store.jobs.add(
        Job.EXPORT_CHANNEL, {"channel_id": general}, actor_id=alice.actor.user_id, now=unit.now, unique_key="acme-1"))
    book = JobBook(resources.database, Clock(resources.database))
    assert book.claim([job], "a worker", [Job.EXPORT_CHANNEL.kind])
    dead = alice.unit(lambda unit: unit.store.jobs.add(
        Job.EXPORT_CHANNEL, {"channel_id": secret}, actor_id=alice.actor.user_id, now=unit.now))
    resources.database["jobs"].update_one({"_id": dead}, {"$set": {
        "status": JobStatus.DEAD.value, "finished_at": alice.now}})
    told = notification(alice, message)
    alice.unit(lambda unit: unit.store.notifications.add_new([told]))
    alice.unit(seal_entries)
    channels.change_channel(alice, general, "General talk")
    values = acme_values(alice, bob, invitation["id"], general, secret, message["id"], job, dead, told)
    known = knowledge_values(alice)
    return Acme(alice.store, alice.actor.tenant_id, {**values, **known, **answer_values(alice, known["document_id"])})


def knowledge_values(alice: Context) -> dict[str, Any]:
    """Have Alice write documents and give Acme's value of every parameter about them."""
    folder = folders.create_folder(alice, "Acme's plans", None)["id"]
    place = Place(Visibility.ORGANIZATION, None, folder)
    document = documents.create_document(alice, "The merger", "Acme buys Globex in May.", place)["id"]
    documents.create_document(alice, "The other", f"See /documents/{document} first.", place)
    versions.save_draft(alice, document, "The merger", "Acme buys nobody.", 1)
    gone = documents.create_document(alice, "The gone one", "Nothing.", place)["id"]
    documents.delete_document(alice, gone)
    return {
        "document_id": document, "document_ids": [document], "readers": ["organization"], "folder_id": folder,
        "target_id": None, "title": "", "anywhere": True, "author_id": alice.actor.user_id, "version": 1,
        "revision": 1, "error": None, "passages": 1, "source_kind": "document",
        "source_id": new_id(), "Documents.mark.status": DocumentStatus.READY, "Documents.remove.document_id": gone,
        "Documents.list_readable.before": None, "Documents.list_all.after": None, "Versions.list_of.before": None,
        "Versions.add.version": 2, "Versions.add.fields": {"title": "Taken over", "text": "Taken over"},
        "Versions.list_pairs.pairs": [(document, 1)], "Documents.change.fields": {"title": "Taken over"},
        "Documents.add.document_id": new_id(), "Documents.add.fields": {"title": "X"},
        "Folders.add.folder_id": new_id(), "Folders.add.fields": {"name": "X", "parent_id": None, "name_key": "x"},
        "Links.replace.source_kind": "message", "seq": 1,
    }


def answer_values(alice: Context, document_id: str) -> dict[str, Any]:
    """Have Alice be answered once and be told more, and give Acme's value of every parameter about that."""
    talk, done, running = new_id(), new_id(), new_id()
    cited = {"kind": "document", "document_id": document_id, "message_id": None, "channel_id": None, "version": 1,
             "title": "The merger", "quote": "Acme buys Globex in May.", "start": 0, "end": 24, "number": 1}
    about = {"talk_id": talk, "conversation_id": talk, "asker_id": alice.actor.user_id, "channel_id": None,
             "scope_id": None, "message_id": None, "question": "Whom does Acme buy?", "job_id": new_id(),
             "created_at": alice.now}
    store = alice.store
    channel_id = store.channels.list_default()[0]["_id"]
    store.conversations.add(talk, alice.actor.user_id, "Whom does Acme buy?", now=alice.now)
    for answer_id in (done, running):
        store.answers.add(answer_id, about)
        store.answers.begin(answer_id, 1)
        store.answers.append(answer_id, 1, 0, "Acme buys Globex in May [1].", [1], [cited], 70)
    store.answers.add(new_id(), {**about, "conversation_id": None, "channel_id": channel_id, "citations": [cited]})
    store.answers.end(done, AnswerStatus.DONE, now=alice.now, attempt=1)
    store.assistant_rules.save({"model": "acme-model", "monthly_tokens": 1_000_000})
    store.token_use.add("2026-11", 70)
    return {
        "conversation_id": talk, "owner_id": alice.actor.user_id, "talk_id": talk, "answer_id": running,
        "Conversations.add.conversation_id": new_id(), "Conversations.add.title": "X",
        "Conversations.list_of.before": None, "Answers.add.answer_id": new_id(), "Answers.add.fields": about,
        "Answers.begin.attempt": 2, "Answers.note.fields": {"tokens": 1}, "index": 1, "text": "Taken over", "cites": [],
        "citations": [], "tokens": 1, "Answers.end.status": AnswerStatus.STOPPED, "rating": "down", "comment": None,
        "Answers.list_talk.after": None, "Answers.list_posted.after": None,
        "Answers.list_turns.before": "f" * 24, "pieces": True, "month": "2026-11",
        "AssistantRules.save.fields": {"model": "X"},
    }


def notification(reader: Context, message: Document, kind: str = "mention") -> Document:
    """Make the row by which `reader` is told of a message."""
    return {"_id": new_id(), "user_id": reader.actor.user_id, "kind": kind, "channel_id": message["channel_id"],
            "message_id": message["id"], "thread_id": None, "seq": message["seq"], "author_id": message["author_id"],
            "created_at": reader.now, "read_at": None}


def acme_values(alice: Context, bob: Context, invitation_id: str, general: str, secret: str, message_id: str,
                job_id: str, dead_id: str, told: Document) -> dict[str, Any]:
    """Acme's value of every parameter; `Class.method.parameter` where the name alone does not tell."""
    user_id, now = alice.actor.user_id, alice.now
    message = dict(alice.store.messages.get(message_id))
    entry = alice.store.audit.list_unsealed(1)[0]
    session = alice.store.sessions.list_of(user_id, alive_since=now.replace(year=2000))[0]["_id"]
    return {
        "user_id": user_id, "user_ids": [user_id, bob.actor.user_id], "actor_id": user_id,
        "invitation_id": invitation_id, "job_id": job_id, "message_id": message_id, "message_ids": [message_id],
        "channel_id": general, "channel_ids": [general, secret], "private_ids": [secret], "public_ids": [general],
        "channel": dict(alice.store.channels.get(general)), "membership_id": new_id(), "head": 1, "count": 1,
        "pairs": [(bob.actor.user_id, "client-1")], "spans": {general: (0, 9), secret: (0, 9)}, "seq": 1,
        "before": None,
        "after": 0, "limit": 100, "now": now, "alive_since": now.replace(year=2000), "only": session, "attempt": 1,
        "progress": 0.5, "result": {"file_id": new_id()}, "job": Job.SELF_CHECK, "payload": {"row": 1},
        "unique_key": "acme-1", "front": False, "due_at": None, "fields": {"name": "Taken over"}, "created": [],
        "revised": [{**message, "text": "Taken over"}], "sign_out": True,
        "queue": Queue.REPORTS, "status": JobStatus.DEAD,
        "QueueRows.put_back.job_id": dead_id, "QueueRows.discard.job_id": dead_id,
        "rows": [{**told, "_id": new_id(), "kind": "reply"}], "notification_ids": [told["_id"]], "unread": True,
        "read_to": 0, "thread_id": message_id, "Messages.list_thread_authors.before": 9,
        "Messages.list_before.before": 9, "unique_keys": ["acme-1"],
        "since": now.replace(year=2000), "until": now.replace(year=2100),
        "JobRows.add.unique_key": new_id(),
        "before_id": None, "action": None, "entry_id": new_id(), "after_number": alice.store.audit_chain.find_end()[0],
        "number": 10_000, "seal": "0" * 64,
        "entries": [{**entry, "names": {"actor": "X", "subject": "X"}, "number": 10_000, "seal": "0" * 64}],
        "AuditLog.list_before.actor_id": None, "AuditLog.list_after.after": None,
        "AuditLog.list_sealed.after_number": 0,
        "People.list_people.after": None, "Channels.list_visible.after": None, "Channels.list_all.after": None,
        "Memberships.list_of_channel.after": None, "Memberships.add.channel": dict(alice.store.channels.get(secret)),
        "Memberships.add.user_id": bob.actor.user_id,
        "OwnSessions.revoke.but": None, "People.add.fields": {"name": "X", "email": f"{new_id()}@taken.test"},
        "Invitations.add.fields": {"token_hash": new_id()}, "Channels.add.fields": {"name_key": new_id()},
    }


def call(store: Store, attribute: str, name: str, values: dict[str, Any]) -> Any:
    """Call a method with Acme's values; give what it gives, or the refusal that it raised."""
    repository = getattr(store, attribute)
    method = getattr(repository, name)
    label = f"{type(repository).__name__}.{name}"
    arguments = {parameter: values.get(f"{label}.{parameter}", values.get(parameter, inspect.Parameter.empty))
                 for parameter in inspect.signature(method).parameters}
    missing = [parameter for parameter, value in arguments.items() if value is inspect.Parameter.empty]
    assert not missing, f"say in acme_values what Acme's {missing} of {label} is"
    try:
        return method(**arguments)
    except REFUSALS as refusal:
        return refusal


def snapshot(resources: Resources, outside: str) -> Snapshot:
    """Every document of every collection that is not of the tenant `outside`, byte for byte."""
    found: Snapshot = {}
    for name in sorted(resources.database.list_collection_names()):
        raw = resources.database.get_collection(
            name, codec_options=resources.database.codec_options.with_options(document_class=RawBSONDocument))
        found[name] = sorted(bytes(row.raw) for row in raw.find({"tenant_id": {"$ne": outside}}))
    return found


def texts(value: Any) -> set[str]:
    """Every string of some length anywhere inside `value`, keys too; short ones, such as roles, belong to everybody."""
    if isinstance(value, str):
        return {value} if len(value) >= 6 else set()
    if isinstance(value, dict):
        return texts(list(value.items()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return set().union(*map(texts, value)) if value else set()
    return set()


def rows_of(resources: Resources, tenant_id: str) -> list[Document]:
    names = resources.database.list_collection_names()
    return [row for name in names for row in resources.database[name].find({"tenant_id": tenant_id})]


def ask_as_carol(acme: Acme, carol: Context, resources: Resources, attribute: str, name: str) -> None:
    """Call a method through Carol's store: it gives nothing of Acme's, and changes nothing there."""
    globex, label = carol.actor.tenant_id, f"{type(getattr(carol.store, attribute)).__name__}.{name}"
    only_acmes = texts(rows_of(resources, acme.tenant_id)) - texts(rows_of(resources, globex)) - set(JobStatus)
    before = snapshot(resources, outside=globex)
    given = call(carol.store, attribute, name, acme.values)
    assert snapshot(resources, outside=globex) == before, label
    assert not texts(given) & only_acmes, label
    if isinstance(given, (bool, int, float)):
        assert given == OWN_ANSWERS.get(label, 0), label
    if name == "get" or name.startswith("get_"):
        assert isinstance(given, NotFound), label


def ask_as_acme(acme: Acme, resources: Resources, attribute: str, name: str) -> None:
    """Call a method through Acme's own store: it gives or changes something."""
    before = snapshot(resources, outside="nobody")
    given = call(acme.store, attribute, name, acme.values)
    assert given or snapshot(resources, outside="nobody") != before, f"{attribute}.{name}"
    assert not isinstance(given, NotFound), f"{attribute}.{name}"


def test_carol_reads_nothing_of_acmes_by_any_method_and_acme_does(acme: Acme, carol: Context,
                                                                  resources: Resources) -> None:
    assert len(READING) > 50
    for attribute, name in READING:
        ask_as_carol(acme, carol, resources, attribute, name)
        ask_as_acme(acme, resources, attribute, name)


@pytest.mark.parametrize(("attribute", "name"), WRITING)
def test_carol_changes_nothing_of_acmes_by_any_method_and_acme_does(acme: Acme, carol: Context, resources: Resources,
                                                                    attribute: str, name: str) -> None:
    ask_as_carol(acme, carol, resources, attribute, name)
    # Keys that Carol has just taken for rows of her own are hers.
    for collection in resources.database.list_collection_names():
        resources.database[collection].delete_many({"tenant_id": carol.actor.tenant_id})
    ask_as_acme(acme, resources, attribute, name)


def test_every_collection_of_the_store_has_something_of_acmes_to_protect(acme: Acme) -> None:
    for attribute in {attribute for attribute, _ in METHODS}:
        repository = getattr(acme.store, attribute)
        [collection] = vars(repository).values()
        assert collection.count({}) > 0, attribute


def test_one_message_can_not_be_reached_through_the_lane_of_another_tenant(acme: Acme, carol: Context,
                                                                           resources: Resources) -> None:
    before = snapshot(resources, outside=carol.actor.tenant_id)
    for change in (Delete(acme.values["message_id"]), Post(new_id(), carol.actor.user_id, "hi", "c", None)):
        with pytest.raises(DashifyError) as refusal:
            carol.change_channel(acme.values["channel_id"], change, lambda outcome: None)
        assert refusal.value.code == "not_found"
    assert snapshot(resources, outside=carol.actor.tenant_id) == before
