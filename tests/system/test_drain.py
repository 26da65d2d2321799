from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

import requests

from tests.system.kit import Client, Instance, Person, Refused, until

SOCKETS = 1_000


class Load(threading.Thread):
    """Asks an instance the way a balancer lets people ask: keep-alive, and elsewhere once readiness has failed."""

    def __init__(self, person: Person, draining: Instance, other: Instance) -> None:
        super().__init__(daemon=True)
        self.person, self.draining, self.other = person, draining, other
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.cookies.update(person.http.cookies)
        self.away = threading.Event()
        self.done = threading.Event()
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        while not self.done.is_set():
            instance = self.other if self.away.is_set() else self.draining
            try:
                answer = self.http.get(instance.url + "/api/v1/channels", timeout=10)
                self.answers[str(answer.status_code)] += 1
            except requests.RequestException as error:
                self.answers[type(error).__name__] += 1
            time.sleep(0.01)


def test_a_terminated_instance_fails_no_request_and_sends_every_socket_on(start: Callable[..., Instance]) -> None:
    first, second = start(), start()
    alice = Person(first.url).sign_up("Alice", "Acme")
    clients: list[Client] = []
    makers = [threading.Thread(target=lambda: clients.extend(alice.connect() for _ in range(SOCKETS // 8)))
              for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(clients) == SOCKETS
    load = [Load(alice, first, second) for _ in range(4)]
    for one in load:
        one.start()
    time.sleep(1)
    terminated = time.monotonic()
    first.terminate()
    until(lambda: alice.http.get(first.url + "/readyz?lb", timeout=5).status_code == 404, 1)
    refusal: list[Refused] = []
    try:
        alice.connect(first.url)
    except Refused as error:
        refusal.append(error)
    # A balancer looks every 500 ms, so this is when it sends nothing more.
    time.sleep(max(0.0, terminated + 1.0 - time.monotonic()))
    for one in load:
        one.away.set()
    first.process.wait(15)
    gone_after = time.monotonic() - terminated
    until(lambda: all(client.closed for client in clients), 5)
    for one in load:
        one.done.set()
        one.join()
    answers = sum((one.answers for one in load), Counter())
    assert set(answers) == {"200"}, answers
    assert gone_after < 10
    assert [error.status for error in refusal] == [503]
    assert {client.close_code for client in clients} == {1000}
    assert not any(client.sent_away for client in clients)
    closed_at = sorted(client.closed_at - terminated for client in clients if client.closed_at is not None)
    assert closed_at[-1] - closed_at[0] > 0.5, "the sockets were closed all at once"


def test_new_connections_are_accepted_until_the_last_socket_is_sent_on(start: Callable[..., Instance]) -> None:
    """A balancer that is refused takes the instance for dead, and cuts all the sockets that are left at once."""
    instance = start(DASHIFY_DRAIN_SOCKETS_SECONDS="8")
    alice = Person(instance.url).sign_up("Alice", "Acme")
    clients = [alice.connect() for _ in range(100)]
    instance.terminate()
    answered = 0
    while not all(client.closed for client in clients):
        left = sum(not client.closed for client in clients)
        try:
            answered += requests.get(instance.url + "/readyz?lb", timeout=5).status_code == 404
        except requests.ConnectionError:
            assert all(client.closed for client in clients), f"refused while {left} sockets were open"
        time.sleep(0.1)
    assert answered > 20
    assert {client.close_code for client in clients} == {1000}
    assert instance.process.wait(10) == 0


def test_a_slow_request_is_finished_before_the_end(start: Callable[..., Instance]) -> None:
    instance = start()
    alice = Person(instance.url).sign_up("Alice", "Acme")
    general = alice.general()
    statuses: list[int] = []
    stop = threading.Event()

    def post() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            answer = alice.call("POST", f"/channels/{general}/messages", {"text": f"m{number}"})
            statuses.append(answer.status_code)
            time.sleep(0.02)

    thread = threading.Thread(target=post)
    thread.start()
    time.sleep(0.5)
    instance.terminate()
    time.sleep(2)
    stop.set()
    thread.join()
    assert set(statuses) == {201}
    assert instance.process.wait(10) == 0


def test_what_outlasts_the_limit_is_cut_and_the_process_ends_by_itself(start: Callable[..., Instance]) -> None:
    instance = start(DASHIFY_DRAIN_LIMIT_SECONDS="4")
    with socket.create_connection(("127.0.0.1", instance.port)) as never_whole:
        never_whole.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                            b"Content-Length: 100\r\n\r\n{")
        time.sleep(0.5)
        instance.terminate()
        never_whole.settimeout(20)
        assert never_whole.recv(100) == b""
        assert instance.process.wait(10) == 0
    assert "1 connection(s) still work and are cut" in instance.log.read_text()
