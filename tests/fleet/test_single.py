"""One host that holds all, as `inventories/single` has it, but for what vendors ship, which data1 stands in for.

Its certificate is a file that the controller has.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import authority
from tests.fleet.conftest import Playbook, Releases
from tests.fleet.hosts import Fleet, Host
from tests.fleet.inventory import ADDRESSES, SETTINGS
from tests.fleet.roots import bare_root
from tests.system.kit import Person, until

ALONE = {group: ["one1"] for group in ("load_balancers", "api", "workers", "redis")}
URL = f"https://{ADDRESSES['one1']}"
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def one(fleet: Fleet) -> Host:
    """A bare host."""
    host = fleet.add("one1", ADDRESSES["one1"], (bare_root(),))
    host.wait()
    return host


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder for `both.pem`, which the host is given, and `public.pem`, which those who ask trust."""
    folder = tmp_path_factory.mktemp("certificates")
    sign(folder)
    return folder


@pytest.fixture(scope="module")
def run(playbook: Playbook, certificates: Path) -> Run:
    """Give a function that runs a playbook for that host alone."""
    settings = {**SETTINGS, "DASHIFY_PUBLIC_URL": URL, "DASHIFY_MONGODB_DATABASE": "dashify_single"}
    return lambda name, **variables: playbook(
        name, groups=ALONE, host_address="127.0.0.1", dashify_settings=settings,
        haproxy_certificate="/etc/haproxy/dashify.pem", haproxy_certificate_source=str(certificates / "both.pem"),
        **variables)


def sign(folder: Path) -> str:
    """Make another certificate; give it as PEM."""
    key, certificate = authority.self_signed(ADDRESSES["one1"])
    (folder / "both.pem").touch(mode=0o600)
    (folder / "both.pem").write_text(certificate + key)
    (folder / "public.pem").write_text(certificate)
    return certificate


def test_one_bare_host_serves_a_team_and_gets_a_new_release(
        one: Host, run: Run, releases: Releases, certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("site", dashify_release_archive=str(releases.first))
    assert run("site", dashify_release_archive=str(releases.first)).changed == {"one1": 0}
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(certificates / "public.pem"))
    alice = Person(URL)
    alice.http.verify = str(certificates / "public.pem")
    alice.sign_up("Alice", "Acme")
    page = alice.connect()
    assert page.wait_for("hello")["instance"].startswith("one1-")
    job = alice.ok("POST", "/reports", {"kind": "members", "format": "csv"})["job"]["id"]
    until(lambda: alice.ok("GET", f"/jobs/{job}")["job"]["status"] == "done", 60, "the report")
    run("deploy", dashify_release_archive=str(releases.second))
    assert alice.http.get(f"{URL}/healthz", timeout=10).json()["release"] == "r2"
    until(lambda: page.closed, 10, "the page sent on")
    page = alice.connect()
    page.wait_for("hello")
    renewed = sign(certificates)
    run("site", dashify_release_archive=str(releases.second))
    assert ssl.get_server_certificate((ADDRESSES["one1"], 443)) == renewed
    sent = alice.ok("POST", f"/channels/{alice.general()}/messages", {"text": "by the new release"})["message"]
    assert page.wait_for("message:new")["message"]["id"] == sent["id"], "the page kept its socket"
    page.close()
    listening = {line.split()[3] for line in one.run("ss -Hltn").splitlines()}
    assert {address for address in listening if not address.startswith(("127.", "[::1]"))} <= {
        "0.0.0.0:80", "*:80", "0.0.0.0:443", "*:443", "0.0.0.0:22", "[::]:22"}
