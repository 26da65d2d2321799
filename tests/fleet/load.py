"""The load under which the fleet is changed, a program of its own: people who write, read, upload, and ask for reports.

`python -m tests.fleet.load --url http://198.18.77.10 --to FILE [--most SECONDS]` prints `running` when all pages are
open, goes on until SIGTERM or the end of `--most`, lets everything arrive, and writes what came of it. It is for the
hosts of these tests only, and stops by itself.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

# ruff: noqa: E402 - what follows must find the patched sockets
import argparse
import json
import random
import re
import signal
import sys
import time
from collections.abc import Container
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
import urllib3
from gevent.pool import Pool

from tests.fleet.hosts import is_ours
from tests.fleet.pages import Page
from tests.fleet.tally import MOST_SECONDS, Tally
from tests.system.kit import Person

ORGANIZATIONS, PEOPLE, PAGES = 4, 5, 10
BY_SOCKET = 5  # one post of so many goes by socket
READS_PER_SECOND, VISITS_PER_SECOND = 5.0, 0.4
UPLOADS_PER_SECOND, REPORTS_PER_SECOND = 0.1, 0.1
SETTLE_SECONDS = 90.0
TRIES = 40
Json = dict[str, Any]


class Crowd:
    """Twenty people in four organizations, twenty channels of two people each, and two hundred open pages."""

    def __init__(self, url: str, posts_per_second: float) -> None:
        self.url, self._posts_per_second = url, posts_per_second
        self.tally = Tally()
        self.over = False
        self.people: list[Person] = []
        self.members: dict[str, list[Person]] = {}
        self.pages: list[Page] = []
        self.work = Pool(400)
        self._connections: dict[Person, urllib3.HTTPConnectionPool] = {}

    def arrive(self) -> None:
        """Sign everybody up, make the channels, open the pages; all before anything is counted."""
        for number in range(ORGANIZATIONS):
            owner = Person(self.url).sign_up("Alice", f"org{number}")
            people = [owner, *(owner.invite(f"P{other}") for other in range(1, PEOPLE))]
            self.people += people
            for person in people:
                # One connection each is kept, and used all the time. Of several, one that idles until the balancer
                # closes it may be taken at that moment; browsers ask again then, which would hide what we look for.
                self._connections[person] = urllib3.connection_from_url(self.url, maxsize=1)
            for index, person in enumerate(people):
                other = people[(index + 1) % PEOPLE]
                made = person.ok("POST", "/channels", {"name": f"c{index}", "private": True,
                                                       "member_ids": [other.user["id"]]})
                self.members[made["channel"]["id"]] = [person, other]
        for person in self.people:
            channels = [channel for channel, members in self.members.items() if person in members]
            self.pages += [Page(self.url, person, channels) for _ in range(PAGES)]
        for page in self.pages:
            page.start()
        deadline = time.time() + 60
        while not all(page.connected for page in self.pages):
            assert time.time() < deadline, [page.refusals[-1:] for page in self.pages if not page.connected][:3]
            gevent.sleep(0.1)

    def write(self) -> None:
        """Post by turns in all channels, most over HTTP, some over a socket."""
        channel = random.choice(list(self.members))
        client_id = self.tally.next_id()
        if random.randrange(BY_SOCKET):
            person = random.choice(self.members[channel])
            body = {"text": f"message {client_id}", "client_id": client_id}
            answer = self.call("post", person, "POST", f"/channels/{channel}/messages", body, tries=TRIES)
            if answer is not None:
                self.tally.acknowledge(channel, client_id, answer.json()["message"])
        else:
            self._send(channel, client_id)

    def read(self) -> None:
        """Read a channel's newest messages."""
        channel = random.choice(list(self.members))
        self.call("read", random.choice(self.members[channel]), "GET", f"/channels/{channel}/messages?limit=20")

    def visit(self) -> None:
        """Load the web app: the page and all that it names, whichever release gives which."""
        with urllib3.connection_from_url(self.url, maxsize=1) as connection:
            page = self._ask("page", connection, "GET", "/", {}, good=(200,))
            for name in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.data.decode() if page is not None else ""):
                self._ask("asset", connection, "GET", name, {}, good=(200,))

    def upload(self) -> None:
        """Upload a file; its reading and its indexing are jobs."""
        person = random.choice(self.people)
        name = self.tally.next_id()
        text = f"# {name}\n\nThe answer of {name} is {random.random()}.\n"
        answer = self.call("upload", person, "POST", "/documents", fields={"file": (f"{name}.md", text.encode())})
        if answer is not None:
            self.tally.expect_job("document", person, f"/documents/{answer.json()['document']['id']}")

    def report(self) -> None:
        """Ask for a report."""
        channel = random.choice(list(self.members))
        person = self.members[channel][0]
        answer = self.call("report", person, "POST", "/reports",
                           {"kind": "channel", "channel_id": channel, "format": "csv"})
        if answer is not None:
            self.tally.expect_job("job", person, f"/jobs/{answer.json()['job']['id']}")

    def call(self, what: str, person: Person, method: str, path: str, body: Any = None, *, tries: int = 1,
             **options: Any) -> urllib3.BaseHTTPResponse | None:
        """Make a request, each failure of which counts; one that may be sent again is, as the web app does."""
        # By urllib3 itself, since the load shares the processor with the hosts.
        headers = {"Cookie": person.cookie_header(), "X-CSRF-Token": person.http.cookies["dashify_csrf"]}
        if body is not None:
            options["json"] = body
        for _ in range(tries):
            answer = self._ask(what, self._connections[person], method, f"/api/v1{path}", headers, **options)
            if answer is not None:
                return answer
            gevent.sleep(random.uniform(0.2, 0.6))
        return None

    def _ask(self, what: str, connection: urllib3.HTTPConnectionPool, method: str, path: str, headers: dict[str, str],
             good: Container[int] = range(300), **options: Any) -> urllib3.BaseHTTPResponse | None:
        """Make one request and count it; None where it failed, or was not answered with one of the `good` statuses."""
        started = time.time()
        try:
            answer = connection.request(method, path, headers={"Accept-Encoding": "gzip, deflate", **headers},
                                        timeout=30, retries=False, **options)
            why = "" if answer.status in good else f"{answer.status} {answer.data[:200]!r}"
        except urllib3.exceptions.HTTPError as error:
            answer, why = None, f"{type(error).__name__}: {error}"[:200]
        self.tally.count(what, started, f"{method} {path.removeprefix('/api/v1')}", why)
        return None if why else answer

    def _send(self, channel: str, client_id: str) -> None:
        page = random.choice([page for page in self.pages if channel in page.seen])
        body = {"channel_id": channel, "text": f"message {client_id}", "client_id": client_id}
        for _ in range(TRIES):
            started = time.time()
            answer = page.ask("message:send", body)
            if answer is not None:
                why = "" if answer["ok"] else str(answer["error"])[:200]
                self.tally.count("send", started, "message:send", why)
                if answer["ok"]:
                    self.tally.acknowledge(channel, client_id, answer["message"])
                    return
            gevent.sleep(random.uniform(0.3, 0.9))
        self.tally.count("send", time.time(), "message:send", "never acknowledged")

    def _keep(self, doing: Any, per_second: float) -> None:
        due = time.time()
        while not self.over:
            self.work.spawn(doing)
            due += random.expovariate(per_second)
            gevent.sleep(max(0.0, due - time.time()))

    def go(self, stop: gevent.event.Event, most: float) -> None:
        """Do all of it until told to stop."""
        self.tally.begin()
        for doing, rate in ((self.write, self._posts_per_second), (self.read, READS_PER_SECOND),
                            (self.visit, VISITS_PER_SECOND), (self.upload, UPLOADS_PER_SECOND),
                            (self.report, REPORTS_PER_SECOND)):
            gevent.spawn(self._keep, doing, rate)
        stop.wait(most)
        self.over = True
        self.tally.end()
        self.work.join(timeout=SETTLE_SECONDS)

    def settle(self) -> None:
        """Wait until every page has what its channels hold and every job has ended, or far too long."""
        heads = {channel: members[0].ok("GET", f"/channels/{channel}/messages?limit=1")["head"]
                 for channel, members in self.members.items()}
        deadline = time.time() + SETTLE_SECONDS
        while time.time() < deadline:
            for page in self.pages:
                page.promised.update({channel: heads[channel] for channel in page.channels})
                if any(page.cursors[channel] < heads[channel] for channel in page.channels):
                    page.sync()
            self.tally.look_at_jobs()
            if not self.tally.open_jobs and all(page.cursors[channel] >= heads[channel]
                                                for page in self.pages for channel in page.channels):
                break
            gevent.sleep(1)
        for channel, members in self.members.items():
            self.tally.check_channel(channel, _history(members[0], channel), heads[channel],
                                     [page for page in self.pages if channel in page.seen])


def _history(person: Person, channel: str) -> list[Json]:
    rows: list[Json] = []
    while True:
        after = rows[-1]["seq"] if rows else 0
        answer = person.ok("GET", f"/channels/{channel}/messages?after={after}&limit=200")
        rows += answer["messages"]
        if not answer["messages"] or not answer["more"]:
            return rows


def main() -> int:
    """Be the crowd."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--posts", type=float, required=True, help="a second, over all channels")
    parser.add_argument("--most", type=float, default=MOST_SECONDS)
    given = parser.parse_args()
    if not is_ours(urlsplit(given.url).hostname or ""):
        parser.error("this load is for the hosts of the fleet's tests only")
    stop = gevent.event.Event()
    gevent.signal_handler(signal.SIGTERM, stop.set)
    crowd = Crowd(given.url.rstrip("/"), given.posts)
    crowd.arrive()
    print("running", flush=True)
    crowd.go(stop, min(given.most, MOST_SECONDS))
    crowd.settle()
    given.to.write_text(json.dumps(crowd.tally.summary(crowd.pages, given.posts), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
