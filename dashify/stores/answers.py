"""What the assistant was asked and has answered: conversations, answers piece by piece, settings and tokens used.

Pieces are pushed one at a time, each on condition that the run which writes is the latest one and that the piece is the
next: so an answer's pieces have no gap, and never come from two runs at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashify.domain.answers import OPEN, AnswerStatus
from dashify.domain.knowledge import order_key
from dashify.stores.mongo import Document
from dashify.stores.tenant import TenantCollection

_BUT_PIECES = ("talk_id", "conversation_id", "asker_id", "channel_id", "scope_id", "message_id", "question", "status",
               "count", "citations", "attempt", "tokens", "position", "model", "rating", "comment", "error", "job_id",
               "created_at", "finished_at")


class Conversations:
    """Conversations with the assistant: `_id owner_id title created_at updated_at order`. Only their owner sees one."""

    def __init__(self, conversations: TenantCollection) -> None:
        self._conversations = conversations

    def add(self, conversation_id: str, owner_id: str, title: str, *, now: datetime) -> None:
        """Begin a conversation."""
        self._conversations.insert({"_id": conversation_id, "owner_id": owner_id, "title": title, "created_at": now,
                                    "updated_at": now, "order": order_key(now, conversation_id)})

    def get_own(self, conversation_id: str, owner_id: str) -> Document:
        """Give one conversation of this person, or raise `NotFound`."""
        return self._conversations.one({"_id": conversation_id, "owner_id": owner_id})

    def touch(self, conversation_id: str, *, now: datetime) -> bool:
        """Note that something was asked in a conversation; tell whether it is there."""
        fields = {"updated_at": now, "order": order_key(now, conversation_id)}
        return self._conversations.update({"_id": conversation_id}, {"$set": fields}) == 1

    def list_of(self, owner_id: str, *, before: str | None, limit: int) -> list[Document]:
        """List a person's conversations, the one that was last asked in first; `before` is an `order`."""
        where: Document = {"owner_id": owner_id}
        if before:
            where["order"] = {"$lt": before}
        return self._conversations.find(where, sort=[("order", -1)], limit=limit)

    def remove(self, conversation_id: str, owner_id: str) -> bool:
        """Remove a conversation of this person; tell whether it was there."""
        return self._conversations.delete({"_id": conversation_id, "owner_id": owner_id}) == 1


class Answers:
    """Answers: `_id talk_id conversation_id asker_id channel_id scope_id message_id question status pieces count
    citations sources attempt tokens position model rating comment error job_id created_at finished_at`.

    `talk_id` is the conversation, or in a channel the root of the thread; `scope_id` the channel whose people must all
    be allowed to read what is used; `sources` the passages that were found, without their texts.
    """

    def __init__(self, answers: TenantCollection) -> None:
        self._answers = answers

    def add(self, answer_id: str, fields: Document) -> None:
        """Add a question that waits for its answer."""
        self._answers.insert({
            "_id": answer_id, "status": AnswerStatus.QUEUED.value, "pieces": [], "count": 0, "citations": [],
            "sources": None, "attempt": 0, "tokens": 0, "position": None, "model": None, "rating": None,
            "comment": None, "error": None, "finished_at": None, **fields})

    def get(self, answer_id: str) -> Document:
        """Give one answer, or raise `NotFound`."""
        return self._answers.one({"_id": answer_id})

    def find(self, answer_id: str, *, pieces: bool = True) -> Document | None:
        """Give one answer, without its pieces where these are not wanted, or None."""
        found = self._answers.find({"_id": answer_id}, limit=1, fields=None if pieces else _BUT_PIECES)
        return found[0] if found else None

    def begin(self, answer_id: str, attempt: int) -> Document | None:
        """Have the run `attempt` be the only one that may write to an open answer; give the answer as it is then."""
        self._answers.update({"_id": answer_id, "status": {"$in": list(OPEN)}, "attempt": {"$lt": attempt}},
                             {"$set": {"status": AnswerStatus.RUNNING.value, "attempt": attempt, "position": None}})
        return self.find(answer_id)

    def is_running(self, answer_id: str, attempt: int) -> bool:
        """Tell whether the run `attempt` may still write."""
        return self._answers.count(_running(answer_id, attempt), limit=1) == 1

    def note(self, answer_id: str, attempt: int, fields: Document) -> bool:
        """Set `fields` of an answer that the run `attempt` writes; tell whether it still does."""
        return self._answers.update(_running(answer_id, attempt), {"$set": fields}) == 1

    def append(self, answer_id: str, attempt: int, index: int, text: str, cites: Sequence[int],
               citations: Sequence[Mapping[str, Any]], tokens: int) -> bool:
        """Add the piece number `index`, from 0, with the citations that are new in it; `tokens` are those used so far.

        Tells whether it was added: it is not where the run does not count any more, or the piece is not the next.
        """
        where = {**_running(answer_id, attempt), "count": index}
        change: Document = {"$push": {"pieces": {"text": text, "cites": list(cites)}}, "$inc": {"count": 1},
                            "$set": {"tokens": tokens, "position": None}}
        if citations:
            change["$push"]["citations"] = {"$each": [dict(one) for one in citations]}
        return self._answers.update(where, change) == 1

    def end(self, answer_id: str, status: AnswerStatus, *, now: datetime, attempt: int | None = None,
            error: Mapping[str, str] | None = None) -> bool:
        """End an answer that is open, for good; with `attempt` only if that run writes it. Tell whether it was open."""
        where: Document = {"_id": answer_id, "status": {"$in": list(OPEN)}}
        if attempt is not None:
            where["attempt"] = attempt
        return self._answers.update(where, {"$set": {"status": status.value, "error": error, "finished_at": now,
                                                     "position": None}}) == 1

    def rate(self, answer_id: str, rating: str | None, comment: str | None) -> bool:
        """Keep what its asker thinks of an answer; tell whether it is there."""
        return self._answers.update({"_id": answer_id}, {"$set": {"rating": rating, "comment": comment}}) == 1

    def list_talk(self, talk_id: str, *, after: str | None, limit: int) -> list[Document]:
        """List the answers of a conversation or thread, oldest first, those after the id `after`."""
        where: Document = {"talk_id": talk_id}
        if after:
            where["_id"] = {"$gt": after}
        return self._answers.find(where, sort=[("_id", 1)], limit=limit)

    def list_turns(self, talk_id: str, *, before: str, limit: int) -> list[Document]:
        """List the latest answers of a talk that came to a good end before the answer `before`, newest first."""
        where = {"talk_id": talk_id, "_id": {"$lt": before}, "status": AnswerStatus.DONE.value}
        return self._answers.find(where, sort=[("_id", -1)], limit=limit)

    def remove_talk(self, talk_id: str) -> int:
        """Remove every answer of a talk; give their number."""
        return self._answers.delete({"talk_id": talk_id})

    def list_posted(self, *, channel_id: str | None, document_id: str | None, after: str | None,
                    limit: int) -> list[Document]:
        """List answers that were given to a channel, by id, those after `after`, without what they say: to one channel,
        or citing one document, where these are given."""
        where: Document = {"channel_id": channel_id or {"$gt": ""}}
        if document_id is not None:
            where["citations.document_id"] = document_id
        if after is not None:
            where["_id"] = {"$gt": after}
        return self._answers.find(where, sort=[("_id", 1)], limit=limit, fields=["channel_id", "citations"])

    def forget_document(self, document_id: str, limit: int = 200) -> list[Document]:
        """Take out what answers say of a document; give these answers as they were, at most `limit`."""
        rows = self._answers.find({"citations.document_id": document_id}, limit=limit)
        for row in rows:
            gone = {one["number"] for one in row["citations"] if one["document_id"] == document_id}
            pieces = [piece if not gone & set(piece["cites"]) else {**piece, "text": ""} for piece in row["pieces"]]
            kept = [one for one in row["citations"] if one["number"] not in gone]
            self._answers.update({"_id": row["_id"], "count": row["count"]},
                                 {"$set": {"pieces": pieces, "citations": kept}})
        return rows


class AssistantRules:
    """What an organization has chosen about its assistant: `model monthly_tokens`, each None for the usual."""

    def __init__(self, rules: TenantCollection) -> None:
        self._rules = rules

    def find(self) -> Document | None:
        """Give what was chosen, or None where nothing ever was."""
        found = self._rules.find({}, limit=1)
        return found[0] if found else None

    def save(self, fields: Document) -> None:
        """Choose."""
        self._rules.upsert({}, {"$set": fields})


class TokenUse:
    """How many tokens of models an organization has used, one row a month ("2026-11"): `month tokens`."""

    def __init__(self, use: TenantCollection) -> None:
        self._use = use

    def count(self, month: str) -> int:
        """Give how many were used in a month."""
        return sum(row["tokens"] for row in self._use.find({"month": month}, limit=1))

    def add(self, month: str, tokens: int) -> None:
        """Count more."""
        self._use.upsert({"month": month}, {"$inc": {"tokens": tokens}})


def _running(answer_id: str, attempt: int) -> Document:
    return {"_id": answer_id, "status": AnswerStatus.RUNNING.value, "attempt": attempt}
