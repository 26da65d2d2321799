"""The demo organization: made once through the HTTP API, as any client would, so that the first look is not empty."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import httpx

from dashify.errors import DashifyError
from dashify.local.folder import read_json, write_private

API = "/api/v1"
DEMO_FILE = "demo.json"
ORGANIZATION = "Acme Demo"
# `.example` is reserved: no such mailbox can exist anywhere.
OWNER, OWNER_EMAIL = "Alice Demo", "alice@acme-demo.example"
COLLEAGUE, COLLEAGUE_EMAIL = "Bob Demo", "bob@acme-demo.example"
TIMEOUT = 20.0

GENERAL = (
    ("alice", "Welcome to Dashify! Everything here runs on this computer; nothing leaves it."),
    ("bob", "Hi Alice, thanks for the invitation. It took me straight in."),
    ("alice", "To bring in more people, open **People** and choose *Invite*. The mail lands in the data folder's "
              "`mails` and its link shows up in the terminal."),
    ("bob", "Good to know: **Ctrl+K** opens the quick switcher, from anywhere."),
    ("alice", "There is a second instance one port up, by default on 8001. Sign in there too and write: both see "
              "everything at once. Then stop one of them, and watch nothing happen."),
)
RANDOM = (
    ("bob", "Can I get a channel out of here, as a file?"),
    ("alice", "Yes: *Export* in the channel's menu makes a CSV or a PDF in the background and tells you when it is "
              "done."),
)


class DemoFailed(DashifyError):
    """The demo organization could not be made; everything else works without it."""

    default_code = "demo_failed"


class Visitor:
    """A signed-in browser's part of HTTP: it keeps cookies and sends the token that writes need."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url + API, timeout=TIMEOUT, headers={"Origin": url}, trust_env=False)

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_details: object) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        """Read `path`.

        Raises:
            DemoFailed: it is not answered with success.
        """
        return self._checked("GET", path, self._send("GET", path, None))

    def post(self, path: str, body: dict[str, Any], *, accept: int = 0) -> Any:
        """Send `body` to `path`; None where the answer has the status `accept`.

        Raises:
            DemoFailed: it is answered with neither success nor `accept`.
        """
        answer = self._send("POST", path, body)
        return None if answer.status_code == accept else self._checked("POST", path, answer)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        token = next((cookie.value for cookie in self._client.cookies.jar if cookie.name.endswith("dashify_csrf")), "")
        try:
            return self._client.request(method, path, json=body, headers={"X-CSRF-Token": token or ""})
        except httpx.HTTPError as error:
            raise DemoFailed(f"{method} {path}: {error}") from error

    def _checked(self, method: str, path: str, answer: httpx.Response) -> Any:
        if not answer.is_success:
            raise DemoFailed(f"{method} {path} was answered with {answer.status_code}: {answer.text[:300]}")
        return answer.json()


def prepare(data: Path, url: str) -> dict[str, str]:
    """Give the demo owner's sign-in, making the organization at `url` on the first start.

    The password is written down before it is used, so that a start cut short is taken up by the next one.

    Raises:
        DemoFailed: the API refused a step.
    """
    file = data / DEMO_FILE
    state = read_json(file) or {"email": OWNER_EMAIL, "password": secrets.token_urlsafe(12)}
    sign_in = {"email": str(state["email"]), "password": str(state["password"])}
    if not state.get("filled"):
        write_private(file, json.dumps(state))
        with Visitor(url) as alice, Visitor(url) as bob:
            if alice.post("/auth/signup", {"organization": ORGANIZATION, "name": OWNER, **sign_in}, accept=409) is None:
                alice.post("/auth/login", sign_in)
            _fill(alice, bob)
        write_private(file, json.dumps({**state, "filled": True}))
    return sign_in


def _fill(alice: Visitor, bob: Visitor) -> None:
    """Invite a colleague and let the two talk; each step may have been done by a start that was cut short."""
    people = {person["email"] for person in alice.get("/users")["users"]}
    if COLLEAGUE_EMAIL in people:
        return
    channels = {channel["name"]: channel["id"] for channel in alice.get("/channels")["channels"]}
    for name in ("general", "random"):
        if name not in channels:
            channels[name] = alice.post("/channels", {"name": name})["channel"]["id"]
    token = alice.post("/invitations", {"email": COLLEAGUE_EMAIL, "role": "member"})["token"]
    bob.post("/invitations/accept", {"token": token, "name": COLLEAGUE, "password": secrets.token_urlsafe(12)})
    authors = {"alice": alice, "bob": bob}
    for channel, script in (("general", GENERAL), ("random", RANDOM)):
        for number, (author, text) in enumerate(script):
            body = {"text": text, "client_id": f"demo-{channel}-{number}"}
            authors[author].post(f"/channels/{channels[channel]}/messages", body)
