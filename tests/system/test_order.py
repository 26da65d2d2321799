"""The order of a channel under many hands: gapless numbers, a complete reader, clients that agree with the database."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from tests.system.kit import Client, Instance, Person, until

POSTERS = 50
CHANGES = 2_000
Json = dict[str, Any]


class Reader(threading.Thread):
    """Polls the changes all the time; a change with a number it has passed would be missed for ever."""

    def __init__(self, person: Person, channel: str) -> None:
        super().__init__(daemon=True)
        self.person, self.channel = person, channel
        self.cursor = 0
        self.state: dict[str, Json] = {}
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            self.read()

    def read(self) -> None:
        answer = self.person.ok("GET", f"/channels/{self.channel}/changes?after={self.cursor}")
        for row in answer["messages"]:
            self.state[row["id"]] = row
        last = answer["messages"][-1]["changed_seq"] if answer["messages"] else 0
        self.cursor = last if answer["more"] else max(answer["head"], last)


class Follower:
    """A socket client that applies events in the order of their numbers and syncs where one is missing."""

    def __init__(self, client: Client, channel: str) -> None:
        self.client, self.channel = client, channel

    def picture(self) -> dict[str, Json]:
        state: dict[str, Json] = {}
        held = {event["seq"]: event["message"] for _, name, event in list(self.client.events)
                if name in ("message:new", "message:changed")}
        cursor = 0
        while cursor + 1 in held:
            cursor += 1
            state[held[cursor]["id"]] = held[cursor]
        while True:
            answer = self.client.ask("sync", {"cursors": {self.channel: cursor}})
            rows = answer["changes"].get(self.channel, [])
            for row in rows:
                state[row["id"]] = row
            if self.channel not in answer["more"]:
                return state
            cursor = rows[-1]["changed_seq"]


def read_everything(person: Person, channel_id: str) -> dict[str, Json]:
    """All messages of a channel, as the API's pages give them, by id."""
    rows: dict[str, Json] = {}
    after = 0
    while True:
        page = person.ok("GET", f"/channels/{channel_id}/messages?after={after}&limit=200")
        rows |= {row["id"]: row for row in page["messages"]}
        if not page["more"]:
            return rows
        after = page["messages"][-1]["seq"]


def test_fifty_posters_and_a_fifth_edits_leave_no_gap(pair: tuple[Instance, Instance], alice: Person,
                                                      bob: Person) -> None:
    general = alice.general()
    followers = [Follower(person.connect(instance.url), general) for person in (alice, bob) for instance in pair]
    reader = Reader(bob, general)
    reader.start()
    latencies: list[float] = []
    numbers: list[int] = []
    lock = threading.Lock()

    def post(worker: int) -> None:
        person = Person(pair[worker % 2].url)
        person.http.cookies.update((alice if worker % 4 < 2 else bob).http.cookies)
        mine: list[str] = []
        for turn in range(CHANGES // POSTERS):
            edits = mine and turn % 5 == 4
            path = f"/messages/{random.choice(mine)}" if edits else f"/channels/{general}/messages"
            body = {"text": f"worker {worker} turn {turn}"}
            began = time.monotonic()
            message = person.ok("PATCH" if edits else "POST", path, body)["message"]
            with lock:
                latencies.append(time.monotonic() - began)
                numbers.append(message["changed_seq"])
            if not edits:
                mine.append(message["id"])

    workers = [threading.Thread(target=post, args=(number,)) for number in range(POSTERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(numbers) == list(range(1, CHANGES + 1))
    until(lambda: reader.cursor >= CHANGES, 10)
    reader.done.set()
    reader.join()
    truth = read_everything(alice, general)
    assert len(truth) == CHANGES * 4 // 5
    assert reader.state == truth
    for follower in followers:
        assert follower.picture() == truth
    latencies.sort()
    print(f"p50 {latencies[len(latencies) // 2]:.3f} s, p99 {latencies[int(len(latencies) * 0.99)]:.3f} s")
