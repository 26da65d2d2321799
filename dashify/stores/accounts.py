"""Organizations, people and invitations: the tenant's own view, and the platform's where nobody is signed in yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from dashify.domain.knowledge import ASSISTANT
from dashify.domain.names import new_id
from dashify.errors import Conflict, NotFound
from dashify.stores.mongo import Document, translated
from dashify.stores.tenant import TenantCollection

PUBLIC = ("_id", "name", "email", "role", "active", "created_at")


class People:
    """The people of one tenant. A row: `_id email name role active password_hash session_epoch version changed_at`.

    Absent until they are chosen: `time_zone` (UTC then) and `digest` (true then).
    """

    def __init__(self, users: TenantCollection) -> None:
        self._users = users

    def get(self, user_id: str) -> Document:
        """Give one person's row without the password hash, or raise `NotFound`."""
        return self._users.one({"_id": user_id}, fields=PUBLIC)

    def get_password_hash(self, user_id: str) -> str:
        """Give the argon2id hash of a person's password, or raise `NotFound`."""
        return str(self._users.one({"_id": user_id}, fields=["password_hash"])["password_hash"])

    def list_people(self, *, after: str | None = None, limit: int = 200) -> list[Document]:
        """List people by id, those after `after`, at most `limit`."""
        where: Document = {"_id": {"$gt": after}} if after else {}
        return self._users.find(where, sort=[("_id", 1)], limit=limit, fields=PUBLIC)

    def count_people(self) -> int:
        """Count the people, those without access too."""
        return self._users.count({})

    def list_names(self) -> list[tuple[str, str]]:
        """List `(id, name)` of active people, at most 5,000, for mentions."""
        rows = self._users.find({"active": True}, limit=5_000, fields=["name"])
        return [(row["_id"], row["name"]) for row in rows]

    def list_active_roles(self, user_ids: Iterable[str]) -> list[tuple[str, str]]:
        """List `(id, role)` of those of `user_ids` who are active."""
        rows = self._users.find({"_id": {"$in": sorted(user_ids)}, "active": True}, fields=["role"])
        return [(row["_id"], row["role"]) for row in rows]

    def names_of(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Give `{id: name}` of those of `user_ids` who are here, active or not; the assistant always is."""
        wanted = set(user_ids)
        rows = self._users.find({"_id": {"$in": sorted(wanted)}}, fields=["name"])
        own = {ASSISTANT: "Assistant"} if ASSISTANT in wanted else {}
        return {**own, **{row["_id"]: row["name"] for row in rows}}

    def find_existing(self, user_ids: list[str]) -> list[str]:
        """List those of `user_ids` who are active people of this tenant."""
        rows = self._users.find({"_id": {"$in": user_ids}, "active": True}, fields=["_id"])
        return [row["_id"] for row in rows]

    def add(self, user_id: str, fields: Document) -> None:
        """Add a person.

        Raises:
            Conflict: `email_taken`; an email belongs to one account of the installation.
        """
        try:
            self._users.insert({"_id": user_id, **fields})
        except DuplicateKeyError as error:
            raise Conflict("This email address has an account already.", code="email_taken") from error

    def change(self, user_id: str, fields: Document, *, now: datetime, sign_out: bool = False) -> Document:
        """Set `fields` and raise the person's version, so that nobody goes on with what was cached of them.

        `sign_out` raises the session epoch too: every session given before is void.

        Raises:
            NotFound: this tenant has no such person.
        """
        raise_by = {"version": 1, **({"session_epoch": 1} if sign_out else {})}
        changed = self._users.change({"_id": user_id}, {"$set": {**fields, "changed_at": now}, "$inc": raise_by})
        if changed is None:
            raise NotFound("There is no such person here.")
        return changed

    def touch_versions(self, user_ids: list[str], *, now: datetime) -> None:
        """Raise the versions of several people, after something that is cached with them has changed."""
        self._users.update({"_id": {"$in": user_ids}}, {"$set": {"changed_at": now}, "$inc": {"version": 1}}, many=True)

    def epochs(self, user_ids: list[str]) -> dict[str, tuple[int, int]]:
        """Give `(session_epoch, version)` of each of `user_ids` that exists here."""
        rows = self._users.find({"_id": {"$in": user_ids}}, fields=["session_epoch", "version"])
        return {row["_id"]: (row["session_epoch"], row["version"]) for row in rows}

    def count_active_owners(self) -> int:
        """Count the owners who can sign in."""
        return self._users.count({"role": "owner", "active": True})

    def list_administrators(self) -> list[Document]:
        """List active owners and admins who want mail that sums things up, at most 200."""
        return self._users.find({"role": {"$in": ["owner", "admin"]}, "active": True, "digest": {"$ne": False}},
                                sort=[("_id", 1)], limit=200)

    def count_joined(self, since: datetime, until: datetime) -> int:
        """Count those who joined from `since` to before `until`."""
        return self._users.count({"created_at": {"$gte": since, "$lt": until}})


class Invitations:
    """Invitations of one tenant: `_id email role token_hash invited_by created_at expires_at accepted_at`."""

    def __init__(self, invitations: TenantCollection) -> None:
        self._invitations = invitations

    def get(self, invitation_id: str) -> Document:
        """Give one invitation, or raise `NotFound`."""
        return self._invitations.one({"_id": invitation_id})

    def add(self, invitation_id: str, fields: Document) -> None:
        """Add an invitation."""
        self._invitations.insert({"_id": invitation_id, **fields})

    def list_open(self, *, now: datetime, limit: int = 200) -> list[Document]:
        """List invitations that can still be accepted, newest first."""
        return self._invitations.find({"accepted_at": None, "expires_at": {"$gt": now}},
                                      sort=[("created_at", -1)], limit=limit)

    def accept(self, invitation_id: str, *, now: datetime) -> bool:
        """Mark an open invitation as accepted; tell whether it was still open."""
        where = {"_id": invitation_id, "accepted_at": None, "expires_at": {"$gt": now}}
        return self._invitations.update(where, {"$set": {"accepted_at": now}}) == 1

    def remove(self, invitation_id: str) -> int:
        """Withdraw an invitation; give how many there were."""
        return self._invitations.delete({"_id": invitation_id, "accepted_at": None})


class Directory:
    """Look-ups above tenants: by email, by token, by id of somebody whose tenant is not known yet."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def find_by_email(self, email: str) -> Document | None:
        """Give the account with this (normalized) email, whichever tenant it belongs to, or None."""
        with translated():
            return self._database["users"].find_one({"email": email})

    def find_account(self, user_id: str) -> Document | None:
        """Give an account with its organization under `organization`, or None."""
        with translated():
            user = self._database["users"].find_one({"_id": user_id})
            if user is None:
                return None
            user["organization"] = self._database["tenants"].find_one({"_id": user["tenant_id"]})
        return user

    def list_memberships(self, tenant_id: str, user_id: str) -> list[tuple[str, bool]]:
        """List `(channel_id, private)` of every channel a person joined, as cached with their identity."""
        where = {"tenant_id": tenant_id, "user_id": user_id}
        with translated():
            rows = self._database["memberships"].find(where, {"channel_id": 1, "private": 1})
            return [(row["channel_id"], row["private"]) for row in rows]

    def find_invitation(self, token_hash: str) -> Document | None:
        """Give the invitation that a token belongs to, or None."""
        with translated():
            return self._database["invitations"].find_one({"token_hash": token_hash})

    def add_tenant(self, tenant_id: str, fields: Document, tx: ClientSession) -> None:
        """Add an organization."""
        with translated():
            self._database["tenants"].insert_one({"_id": tenant_id, **fields}, session=tx)

    def list_changed_epochs(self, since: datetime) -> list[tuple[str, int, int]]:
        """List `(user_id, session_epoch, version)` of everybody whose account changed after `since`."""
        with translated():
            rows = self._database["users"].find({"changed_at": {"$gte": since}}, {"session_epoch": 1, "version": 1})
            return [(row["_id"], row["session_epoch"], row["version"]) for row in rows]

    def find_tenant(self, tenant_id: str) -> str | None:
        """Give the name of an organization, or None."""
        with translated():
            row = self._database["tenants"].find_one({"_id": tenant_id}, {"name": 1})
        return str(row["name"]) if row else None

    def list_tenants(self, *, after: str | None, limit: int) -> list[str]:
        """List the ids of organizations, those after `after`."""
        where: Document = {} if after is None else {"_id": {"$gt": after}}
        with translated():
            return [row["_id"] for row in self._database["tenants"].find(where, {"_id": 1}).sort("_id", 1).limit(limit)]

    def list_zones(self) -> list[str | None]:
        """List the time zones that people have chosen, each once; None stands for those who have chosen none."""
        with translated():
            return [*self._database["users"].distinct("time_zone", {"time_zone": {"$type": "string"}}), None]

    def list_digest_readers(self, zones: Sequence[str | None], *, after: str | None, limit: int) -> list[Document]:
        """List active people in one of `zones` who want their daily digest, by id, those after `after`.

        Each with `tenant_id`, `time_zone` (absent: none chosen) and `created_at`.
        """
        where: Document = {"time_zone": {"$in": list(zones)}, "active": True, "digest": {"$ne": False}}
        if after is not None:
            where["_id"] = {"$gt": after}
        fields = {"tenant_id": 1, "time_zone": 1, "created_at": 1}
        with translated():
            return list(self._database["users"].find(where, fields).sort("_id", 1).limit(limit))

    def add_reset(self, fields: Document, tx: ClientSession) -> None:
        """Keep a request for a new password: `_id user_id tenant_id token_hash expires_at used_at`."""
        with translated():
            self._database["password_resets"].insert_one(dict(fields), session=tx)

    def find_reset(self, token_hash: str, *, now: datetime) -> Document | None:
        """Give the row of a reset token that can still be used, or None."""
        with translated():
            return self._database["password_resets"].find_one(
                {"token_hash": token_hash, "used_at": None, "expires_at": {"$gt": now}})

    def find_open_reset(self, reset_id: str, *, now: datetime) -> Document | None:
        """Give a request for a new password by its id while its link can still be used, or None."""
        with translated():
            return self._database["password_resets"].find_one(
                {"_id": reset_id, "used_at": None, "expires_at": {"$gt": now}})

    def use_reset(self, token_hash: str, *, now: datetime, tx: ClientSession) -> Document | None:
        """Spend a reset token: give its row the one time it is used in time, else None."""
        where: dict[str, Any] = {"token_hash": token_hash, "used_at": None, "expires_at": {"$gt": now}}
        with translated():
            return self._database["password_resets"].find_one_and_update(
                where, {"$set": {"used_at": now}}, return_document=ReturnDocument.AFTER, session=tx)

    def restore_epoch(self) -> str:
        """Give the installation's epoch, making it the first time. A restore writes another."""
        with translated():
            row = self._database["installation"].find_one_and_update(
                {"_id": "installation"}, {"$setOnInsert": {"epoch": new_id()}}, upsert=True,
                return_document=ReturnDocument.AFTER)
        assert row is not None  # an upsert that gives the row after it gives one
        return str(row["epoch"])

    def renew_epoch(self) -> str:
        """Give the installation another epoch, and give that."""
        epoch = new_id()
        with translated():
            self._database["installation"].update_one(
                {"_id": "installation"}, {"$set": {"epoch": epoch}}, upsert=True)
        return epoch
