"""What the system tests drive the product with: instances as processes, a browser's HTTP, and raw Socket.IO clients."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import websocket

from dashify.domain.names import new_id
from dashify.local.probes import free_port
from dashify.settings import Settings, from_env
from dashify.stores.migrating import migrate
from dashify.stores.mongo import open_client, open_database

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
Json = dict[str, Any]


def until(condition: Callable[[], Any], seconds: float = 15.0, what: str = "the condition") -> Any:
    """Wait until `condition` gives something true, and give that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        time.sleep(0.02)


def migrate_for(settings: Settings, **environment: str) -> None:
    """Do what a deployment does before it starts processes with these settings."""
    own = from_env({**settings.to_env(), **environment})
    client = open_client(own.mongodb_url)
    migrate(open_database(client, own.mongodb_database))
    client.close()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Instance:
    """One API instance: its own gunicorn, as production runs it, on a database that it finds migrated."""

    def __init__(self, settings: Settings, name: str, log: Path, port: int = 0, *, migrated: bool = True,
                 **environment: str) -> None:
        if migrated:
            migrate_for(settings, **environment)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log / f"{name}.log"
        clean = {key: value for key, value in os.environ.items() if not key.startswith("DASHIFY_")}
        own = {"DASHIFY_BIND": f"127.0.0.1:{self.port}", "DASHIFY_INSTANCE": name, "DASHIFY_METRICS_PORT": "0"}
        command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**clean, **settings.to_env(), **own, **environment},
                                        stderr=self.log.open("wb"), start_new_session=True)

    def ready(self) -> bool:
        try:
            return requests.get(self.url + "/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            assert self.process.poll() is None, self.log.read_text()
            return False

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """Be done with it, without the seconds that a drain takes."""
        kill_group(self.process)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.kill()


class Person:
    """Somebody with a browser: cookies that go to any instance, and the CSRF header on writes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self.user: Json = {}

    def call(self, method: str, path: str, body: Any = None, url: str | None = None,
             **options: Any) -> requests.Response:
        token = self.http.cookies.get("__Host-dashify_csrf") or self.http.cookies.get("dashify_csrf", "")
        headers = {"X-CSRF-Token": token, **options.pop("headers", {})}
        return self.http.request(method, (url or self.url) + "/api/v1" + path, json=body, headers=headers,
                                 timeout=options.pop("timeout", 20), **options)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Json:
        answer = self.call(method, path, body, **options)
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text[:300])
        return answer.json() if answer.content else {}

    def sign_up(self, name: str, organization: str) -> Person:
        email = f"{name.lower()}.{new_id()}@{organization.lower()}.test"
        self.user = self.ok("POST", "/auth/signup", {
            "organization": organization, "name": name, "email": email, "password": PASSWORD})["user"]
        return self

    def sign_in(self, email: str) -> Person:
        self.user = self.ok("POST", "/auth/login", {"email": email, "password": PASSWORD})["user"]
        return self

    def invite(self, name: str, url: str | None = None) -> Person:
        email = f"{name.lower()}.{new_id()}@joined.test"
        token = self.ok("POST", "/invitations", {"email": email, "role": "member"})["token"]
        guest = Person(url or self.url)
        accepted = guest.ok("POST", "/invitations/accept", {"token": token, "name": name, "password": PASSWORD})
        guest.user = accepted["user"]
        return guest

    def general(self) -> str:
        return str(self.ok("GET", "/channels")["channels"][0]["id"])

    def cookie_header(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)

    def connect(self, url: str | None = None) -> Client:
        return Client(url or self.url, self.cookie_header())


class Refused(Exception):
    """The server refused the upgrade (`status`) or the connection (`answer`)."""

    def __init__(self, status: int | None, answer: Any = None) -> None:
        super().__init__(f"{status} {answer}")
        self.status, self.answer = status, answer


class Client:
    """A raw Socket.IO client that notes all it hears, with the time it heard it."""

    def __init__(self, url: str, cookie: str, origin: str | None = None) -> None:
        self.events: list[tuple[float, str, Any]] = []
        self.sent_away = False
        self.closed_at: float | None = None
        self.close_code: int | None = None
        self._acks: dict[int, Any] = {}
        self._numbers = itertools.count(1)
        self._arrived = threading.Condition()
        try:
            self.ws = websocket.create_connection(
                url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket", timeout=30, cookie=cookie,
                origin=origin or url, http_no_proxy=["127.0.0.1"])
        except websocket.WebSocketBadStatusException as error:
            raise Refused(error.status_code) from error
        assert self.ws.recv()[0] == "0"
        self.ws.send("40")
        answer = self._first()
        if answer.startswith("44"):
            self.ws.close()
            raise Refused(None, json.loads(answer[2:]))
        threading.Thread(target=self._listen, daemon=True).start()

    def _first(self) -> str:
        while True:
            frame = str(self.ws.recv())
            if frame.startswith(("40", "44")):
                return frame
            self._note(frame)

    def _listen(self) -> None:
        try:
            while True:
                code, data = self.ws.recv_data()
                if code == websocket.ABNF.OPCODE_CLOSE:
                    self.close_code = int.from_bytes(data[:2], "big") if len(data) >= 2 else None
                    break
                self._note(data.decode())
        except (OSError, websocket.WebSocketException):
            pass
        with self._arrived:
            self.closed_at = time.monotonic()
            self._arrived.notify_all()

    def _note(self, frame: str) -> None:
        if frame == "2":
            self.ws.send("3")
        with self._arrived:
            if frame.startswith("43"):
                start = frame.index("[")
                self._acks[int(frame[2:start])] = json.loads(frame[start:])[0]
            elif frame.startswith("42"):
                name, payload = json.loads(frame[2:])
                self.events.append((time.monotonic(), name, payload))
            elif frame.startswith("41"):
                self.sent_away = True
            self._arrived.notify_all()

    def ask(self, event: str, payload: Any, seconds: float = 10.0) -> Json:
        """Send an event and give its ack; a lost connection gives `{"ok": False, "lost": True}`."""
        number = next(self._numbers)
        try:
            self.ws.send(f"42{number}{json.dumps([event, payload])}")
        except (OSError, websocket.WebSocketException):
            return {"ok": False, "lost": True}
        with self._arrived:
            self._arrived.wait_for(lambda: number in self._acks or self.closed_at is not None, seconds)
            answer: Json = self._acks.pop(number, {"ok": False, "lost": True})
            return answer

    def wait_for(self, name: str, test: Callable[[Json], Any] = lambda payload: True, seconds: float = 10.0) -> Json:
        """Wait for an event that passes `test` and give its payload; those heard already count."""
        def find() -> Json | None:
            return next((one for _, event, one in list(self.events) if event == name and test(one)), None)

        with self._arrived:
            assert self._arrived.wait_for(lambda: find() is not None, seconds), f"no {name} within {seconds} s"
        found = find()
        assert found is not None
        return found

    def heard(self, name: str) -> list[Json]:
        return [payload for _, event, payload in list(self.events) if event == name]

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    def close(self) -> None:
        self.ws.close()
