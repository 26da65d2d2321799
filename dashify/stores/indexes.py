"""The indexes of every collection. Each begins with the tenant, but for what is looked for above tenants.

A change here needs a migration, which `dashify migrate` runs: see `stores/migrations.py`. What is taken out of here
stays in databases until a contract migration drops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from dashify.domain.knowledge import DRAFT_DAYS
from dashify.domain.notifications import KEPT_DAYS

# Not `$type`: MongoDB does not conclude from a text that is asked for that it is one, leaves the index alone, and reads
# the whole channel. Of a comparison it does.
_TEXT = {"$gt": ""}

INDEXES: dict[str, list[IndexModel]] = {
    "tenants": [IndexModel([("created_at", ASCENDING)])],
    "users": [
        IndexModel([("email", ASCENDING)], unique=True),
        IndexModel([("tenant_id", ASCENDING), ("name", ASCENDING)]),
        IndexModel([("changed_at", ASCENDING)]),
        IndexModel([("time_zone", ASCENDING), ("_id", ASCENDING)]),
    ],
    "invitations": [
        IndexModel([("token_hash", ASCENDING)], unique=True),
        IndexModel([("tenant_id", ASCENDING), ("created_at", DESCENDING)]),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=30 * 24 * 3600),
    ],
    "password_resets": [
        IndexModel([("token_hash", ASCENDING)], unique=True),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=24 * 3600),
    ],
    "sessions": [
        IndexModel([("key_hash", ASCENDING)], unique=True),
        IndexModel([("tenant_id", ASCENDING), ("user_id", ASCENDING), ("seen_at", DESCENDING)]),
        IndexModel([("seen_at", ASCENDING)]),
        IndexModel([("revoked_at", ASCENDING)], partialFilterExpression={"revoked_at": {"$type": "date"}}),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=24 * 3600),
    ],
    "channels": [
        IndexModel([("tenant_id", ASCENDING), ("name_key", ASCENDING)], unique=True),
        IndexModel([("tenant_id", ASCENDING), ("private", ASCENDING)]),
    ],
    "memberships": [
        IndexModel([("tenant_id", ASCENDING), ("channel_id", ASCENDING), ("user_id", ASCENDING)], unique=True),
        IndexModel([("tenant_id", ASCENDING), ("user_id", ASCENDING)]),
    ],
    "messages": [
        IndexModel([("tenant_id", ASCENDING), ("channel_id", ASCENDING), ("changed_seq", ASCENDING)], unique=True),
        IndexModel([("tenant_id", ASCENDING), ("channel_id", ASCENDING), ("seq", ASCENDING)], unique=True),
        IndexModel([("tenant_id", ASCENDING), ("channel_id", ASCENDING), ("author_id", ASCENDING),
                    ("client_id", ASCENDING)], unique=True, name="one_message_a_client_id",
                   partialFilterExpression={"client_id": _TEXT}),
        IndexModel([("tenant_id", ASCENDING), ("thread_id", ASCENDING), ("seq", ASCENDING)], name="replies",
                   partialFilterExpression={"thread_id": _TEXT}),
    ],
    "notifications": [
        IndexModel([("tenant_id", ASCENDING), ("user_id", ASCENDING), ("message_id", ASCENDING), ("kind", ASCENDING)],
                   unique=True),
        IndexModel([("tenant_id", ASCENDING), ("user_id", ASCENDING), ("_id", DESCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("user_id", ASCENDING), ("read_at", ASCENDING), ("_id", DESCENDING)]),
        IndexModel([("created_at", ASCENDING)], expireAfterSeconds=KEPT_DAYS * 24 * 3600),
    ],
    "audit": [
        IndexModel([("tenant_id", ASCENDING), ("_id", DESCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("action", ASCENDING), ("_id", DESCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("actor_id", ASCENDING), ("_id", DESCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("number", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("number", ASCENDING)], unique=True, name="one_entry_a_number",
                   partialFilterExpression={"number": {"$gt": 0}}),
    ],
    "documents": [
        IndexModel([("tenant_id", ASCENDING), ("readers", ASCENDING), ("order", DESCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("folder_id", ASCENDING)]),
    ],
    "document_versions": [
        IndexModel([("tenant_id", ASCENDING), ("document_id", ASCENDING), ("version", DESCENDING)], unique=True)],
    "drafts": [
        IndexModel([("tenant_id", ASCENDING), ("document_id", ASCENDING), ("user_id", ASCENDING)], unique=True),
        IndexModel([("saved_at", ASCENDING)], expireAfterSeconds=DRAFT_DAYS * 24 * 3600),
    ],
    "folders": [
        IndexModel([("tenant_id", ASCENDING), ("parent_id", ASCENDING), ("name_key", ASCENDING)], unique=True)],
    "links": [
        IndexModel([("tenant_id", ASCENDING), ("document_id", ASCENDING), ("source_kind", ASCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("source_kind", ASCENDING), ("source_id", ASCENDING)]),
    ],
    "conversations": [IndexModel([("tenant_id", ASCENDING), ("owner_id", ASCENDING), ("order", DESCENDING)])],
    "answers": [
        IndexModel([("tenant_id", ASCENDING), ("talk_id", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("citations.document_id", ASCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("channel_id", ASCENDING), ("_id", ASCENDING)]),
    ],
    "assistant_rules": [IndexModel([("tenant_id", ASCENDING)], unique=True)],
    "token_use": [IndexModel([("tenant_id", ASCENDING), ("month", ASCENDING)], unique=True)],
    "audit_chains": [IndexModel([("tenant_id", ASCENDING)], unique=True)],
    "jobs": [
        IndexModel([("tenant_id", ASCENDING), ("created_at", DESCENDING)]),
        IndexModel([("tenant_id", ASCENDING), ("unique_key", ASCENDING)], unique=True, name="one_job_a_key",
                   partialFilterExpression={"unique_key": _TEXT}),
        IndexModel([("tenant_id", ASCENDING), ("status", ASCENDING), ("queue", ASCENDING), ("_id", DESCENDING)]),
        IndexModel([("queue", ASCENDING), ("status", ASCENDING), ("due_at", ASCENDING)]),
        IndexModel([("worker", ASCENDING)], partialFilterExpression={"worker": _TEXT}),
        IndexModel([("finished_at", ASCENDING)], expireAfterSeconds=30 * 24 * 3600),
    ],
    "workers": [IndexModel([("lease_until", ASCENDING)])],
    "processes": [IndexModel([("until", ASCENDING)], expireAfterSeconds=24 * 3600)],
    "schedule_ticks": [
        IndexModel([("name", ASCENDING), ("time", DESCENDING)]),
        IndexModel([("time", ASCENDING)], expireAfterSeconds=90 * 24 * 3600),
    ],
    "files.files": [IndexModel([("metadata.expires_at", ASCENDING)])],
}

_WHAT_COUNTS = ("unique", "expireAfterSeconds", "partialFilterExpression")


def name_of(index: IndexModel) -> str:
    """Give the name that an index has, or gets."""
    return str(index.document["name"])


def is_as_wanted(index: IndexModel, found: Mapping[str, Any]) -> bool:
    """Tell whether an index that is there, as `index_information` tells of it, does what `index` is to do."""
    wanted = index.document
    return (list(wanted["key"].items()) == [tuple(pair) for pair in found["key"]]
            and all(wanted.get(option) == found.get(option) for option in _WHAT_COUNTS))
