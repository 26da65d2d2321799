"""The app on real servers, and people who use it as a browser does: cookies kept, the token sent with every write."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashify.resources import Resources
from dashify.settings import Settings
from dashify.web import create_app

PASSWORD = "correct horse battery"
_counter = itertools.count(1)


class Browser:
    """One person's browser. `token=False` leaves the CSRF header out."""

    def __init__(self, app: Flask) -> None:
        self.http: FlaskClient = app.test_client()
        self.user: dict[str, Any] = {}

    def ask(self, method: str, path: str, body: Any = None, *, token: bool = True, **options: Any) -> TestResponse:
        """Send one request under `/api/v1`; `body` goes as JSON."""
        headers = dict(options.pop("headers", {}))
        held = self.http.get_cookie("dashify_csrf")
        if token and held and method != "GET":
            headers.setdefault("X-CSRF-Token", held.value)
        if body is not None:
            options["json"] = body
        return self.http.open(f"/api/v1{path}", method=method, headers=headers, buffered=True, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        """Read."""
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Write."""
        return self.ask("POST", path, body, **options)

    @property
    def session(self) -> str:
        """The value of the session cookie, or nothing."""
        held = self.http.get_cookie("dashify_session")
        return held.value if held else ""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built web app, small."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "assets").mkdir()
    (folder / "assets" / "index-4f2a.js").write_text("console.log('dashify')")
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "index.html").write_text(
        '<meta name="csp-nonce" content="__CSP_NONCE__"><meta name="dashify-instances" content="__INSTANCES__">')
    return folder


@pytest.fixture(scope="session")
def app(settings: Settings, resources: Resources, built: Path) -> Flask:
    """The app on the test servers; `resources` has prepared the database."""
    made = create_app(settings, static=built)
    made.extensions["dashify.platform"].resources.prepare()
    return made


@pytest.fixture
def browser(app: Flask) -> Callable[[], Browser]:
    """Give a function that opens a fresh browser."""
    return lambda: Browser(app)


def sign_up(browser: Browser, name: str, organization: str) -> Browser:
    """Sign somebody up in their browser."""
    email = f"{name.lower()}.http{next(_counter)}@{organization.lower()}.test"
    answer = browser.post("/auth/signup", {
        "organization": organization, "name": name, "email": email, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    browser.user = answer.get_json()["user"]
    return browser


@pytest.fixture
def alices(browser: Callable[[], Browser]) -> Browser:
    """Alice's browser: owner of Acme."""
    return sign_up(browser(), "Alice", "Acme")


@pytest.fixture
def bobs(alices: Browser, browser: Callable[[], Browser]) -> Browser:
    """Bob's browser: member at Acme."""
    email = f"bob.http{next(_counter)}@acme.test"
    token = alices.post("/invitations", {"email": email, "role": "member"}).get_json()["token"]
    bob = browser()
    answer = bob.post("/invitations/accept", {"token": token, "name": "Bob", "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    bob.user = answer.get_json()["user"]
    return bob


@pytest.fixture
def carols(browser: Callable[[], Browser]) -> Browser:
    """Carol's browser: owner of Globex, who must see nothing of Acme's."""
    return sign_up(browser(), "Carol", "Globex")
