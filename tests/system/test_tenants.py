"""Every call that names something, tried by Carol of Globex with Acme's ids: nothing but 404, and nothing changes."""

from __future__ import annotations

import re
from typing import Any

from tests.system.kit import Person

# What each call needs to be well-formed, so that a 404 is about the id and nothing else.
BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/users/{user_id}"): {"role": "member"},
    ("PATCH", "/channels/{channel_id}"): {"name": "taken over"},
    ("POST", "/channels/{channel_id}/messages"): {"text": "hello from Globex"},
    ("PATCH", "/messages/{message_id}"): {"text": "changed by Globex"},
    ("POST", "/queues/jobs/{job_id}/retry"): {},
    ("PUT", "/documents/{document_id}"): {"text": "Taken over."},
    ("PUT", "/documents/{document_id}/draft"): {"title": "", "text": "Mine", "base_version": 1},
    ("PATCH", "/folders/{folder_id}"): {"name": "taken over"},
    ("PUT", "/assistant/answers/{answer_id}/rating"): {"rating": "down"},
}


def calls(document: dict[str, Any]) -> list[tuple[str, str]]:
    """List method and path of every documented call that names something of a tenant in its path; queues are no one's.
    """
    return [(method.upper(), path.removeprefix("/api/v1")) for path, methods in document["paths"].items()
            for method in methods
            if "{" in path.replace("{queue}", "") and method in ("get", "put", "post", "patch", "delete")]


def knowledge(alice: Person) -> dict[str, str]:
    """Have Alice write and ask something; give the ids of that."""
    folder = alice.ok("POST", "/folders", {"name": "Plans"})["folder"]
    document = alice.ok("POST", "/documents", {"title": "Plan", "text": "Ours.", "folder_id": folder["id"],
                                               "visibility": "organization"})["document"]
    answer = alice.ok("POST", "/assistant/questions", {"question": "What is the plan?"})["answer"]
    return {"folder_id": folder["id"], "document_id": document["id"], "version": "1", "answer_id": answer["id"],
            "conversation_id": answer["conversation_id"]}


def test_every_call_with_another_tenants_ids_is_a_404(alice: Person, bob: Person, carol: Person) -> None:
    general = alice.general()
    message = alice.ok("POST", f"/channels/{general}/messages", {"text": "ours"})["message"]
    job = alice.ok("POST", "/reports", {"kind": "channel", "channel_id": general, "format": "csv"})["job"]
    invitation = alice.ok("POST", "/invitations", {"email": "x@acme.test", "role": "member"})["invitation"]
    session = alice.ok("GET", "/me/sessions")["sessions"][0]
    ids = {"channel_id": general, "message_id": message["id"], "user_id": bob.user["id"], "job_id": job["id"],
           "invitation_id": invitation["id"], "session_id": session["id"], "emoji": "👍"} | knowledge(alice)
    document = alice.ok("GET", "/openapi.json")
    tried = calls(document)
    assert len(tried) > 12
    mine = ("/users", "/channels", f"/channels/{general}/changes?after=0", "/folders",
            f"/documents/{ids['document_id']}")
    before = [alice.ok("GET", path) for path in mine]
    for method, path in tried:
        concrete = re.sub(r"\{(\w+)\}", lambda name: ids[name.group(1)], path)
        query = "?after=0" if path.endswith("/changes") else ""
        answer = carol.call(method, concrete + query, BODIES.get((method, path)))
        assert answer.status_code == 404, (method, path, answer.status_code, answer.text[:200])
        assert answer.json()["error"]["code"] == "not_found"
    own = carol.general()
    for method, path, body in (
        ("PUT", f"/channels/{own}/members/{bob.user['id']}", None),
        ("POST", f"/channels/{own}/messages", {"text": "reply", "thread_id": message["id"]}),
        ("POST", "/channels", {"name": "mixed", "private": True, "member_ids": [bob.user["id"]]}),
        ("POST", "/reports", {"kind": "channel", "channel_id": general, "format": "csv"}),
    ):
        assert carol.call(method, path, body).status_code == 404, (method, path)
    after = [alice.ok("GET", path) for path in mine]
    assert after == before
    assert [one["email"] for one in carol.ok("GET", "/users")["users"]] == [carol.user["email"]]
