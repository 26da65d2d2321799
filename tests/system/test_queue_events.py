from __future__ import annotations

from dashify.domain.names import new_id
from tests.system.kit import Person, until


def waiting_mails(person: Person) -> list[str]:
    return [job["id"] for job in person.ok("GET", "/queues/emails/jobs?status=queued")["jobs"]]


def test_a_changed_queue_is_told_to_its_admins_on_every_instance_and_to_nobody_else(alice: Person, bob: Person,
                                                                                    carol: Person) -> None:
    for _ in range(3):
        alice.ok("POST", "/invitations", {"email": f"{new_id()}@acme.test", "role": "member"})
    hers, also_hers, his, theirs = alice.connect(), alice.connect(bob.url), bob.connect(), carol.connect()
    for client in (hers, also_hers, his, theirs):
        client.wait_for("hello")
    first, second, third = waiting_mails(alice)[:3]
    alice.ok("DELETE", f"/queues/jobs/{first}")
    for client in (hers, also_hers):
        assert client.wait_for("queues:changed") == {"queue": "emails"}
    # The second comes so soon that it is told later. A message after it shows that others heard of neither.
    alice.ok("DELETE", f"/queues/jobs/{second}")
    until(lambda: len(also_hers.heard("queues:changed")) >= 2)
    alice.ok("POST", f"/channels/{alice.general()}/messages", {"text": "That was all."})
    his.wait_for("message:new")
    assert his.heard("queues:changed") == []
    assert theirs.heard("queues:changed") == []
    alice.ok("PATCH", f"/users/{bob.user['id']}", {"role": "admin"})
    until(lambda: bob.call("GET", "/queues").status_code == 200)
    alice.ok("DELETE", f"/queues/jobs/{third}")
    his.wait_for("queues:changed")
    alice.ok("PATCH", f"/users/{bob.user['id']}", {"role": "member"})
    assert bob.call("GET", "/queues").status_code == 403
