"""What an inventory may ask for beside the usual: a certificate by ACME, a firewall, metrics kept and judged."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fleet import authority
from tests.fleet.authority import NAME
from tests.fleet.conftest import Play, Playbook, Releases
from tests.fleet.hosts import CONTROLLER, Fleet
from tests.fleet.inventory import ADDRESSES, BALANCER, GROUPS, SETTINGS
from tests.fleet.roots import bare_root
from tests.system.kit import Person, until

SITE = f"https://{NAME}"
CERTIFICATE = "/etc/haproxy/dashify.pem"
# By Python on the host, since the test's process does not know how to make one without a warning.
BCRYPT = ("python3 -W ignore -c 'import crypt; "
          "print(crypt.crypt(input(), crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1024)))'")


@pytest.fixture(scope="module")
def build(site: Fleet, playbook: Playbook, releases: Releases) -> Callable[..., Play]:
    """Give a function that runs a playbook, site.yml if none is named, for an inventory that asks for all of it."""
    watch = site.add("watch1", ADDRESSES["watch1"], (bare_root(),))
    watch.wait()
    password = secrets.token_urlsafe(24)
    wanted = {
        "dashify_release_archive": releases.running(),
        "dashify_settings": {**SETTINGS, "DASHIFY_PUBLIC_URL": SITE},
        "haproxy_certificate": CERTIFICATE, "haproxy_acme_names": [NAME], "haproxy_acme_email": "ops@dashify.test",
        "haproxy_acme_server": authority.DIRECTORY,
        "host_firewall": True, "host_firewall_ssh_from": [CONTROLLER],
        "monitoring_password": password, "monitoring_password_hash": watch.run(BCRYPT, stdin=password).strip(),
        "monitoring_interval": "5s"}

    def run(name: str = "site", **groups: list[str]) -> Play:
        return playbook(name, groups={"monitoring": ["watch1"], **groups}, **wanted)

    return run


@pytest.fixture(scope="module")
def trusted(site: Fleet, build: Callable[..., Play], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it all; give the file with the authority's certificate."""
    path = tmp_path_factory.mktemp("authority") / "root.pem"
    authority.start(site.hosts["data1"], of=BALANCER.rpartition("/")[2], trusted_by=site.hosts["lb1"])
    build()
    path.write_text(authority.root_certificate(site.hosts["data1"]))
    return path


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    """Have this process find the balancer by its name, and trust the authority."""
    found = socket.getaddrinfo

    def find(host: Any, *about: Any, **more: Any) -> Any:
        return found(ADDRESSES["lb1"] if host == NAME else host, *about, **more)

    monkeypatch.setattr(socket, "getaddrinfo", find)
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(trusted))


def somebody(trusted: Path) -> Person:
    person = Person(SITE)
    person.http.verify = str(trusted)
    return person.sign_up("Alice", "Acme")


def serial(trusted: Path) -> str:
    """Give the number of the certificate that people are shown, which must be the authority's."""
    with socket.create_connection((ADDRESSES["lb1"], 443), timeout=10) as connection, \
            ssl.create_default_context(cafile=str(trusted)).wrap_socket(connection, server_hostname=NAME) as shown:
        return str((shown.getpeercert() or {})["serialNumber"])


def test_people_are_served_over_tls_and_by_nothing_else(trusted: Path) -> None:
    asked = requests.get(f"{BALANCER}/channels?a=b", timeout=10, allow_redirects=False)
    assert (asked.status_code, asked.headers["Location"]) == (308, f"https://{ADDRESSES['lb1']}/channels?a=b")
    alice = somebody(trusted)
    assert {cookie.secure for cookie in alice.http.cookies} == {True}
    page = alice.connect()
    sent = alice.ok("POST", f"/channels/{alice.general()}/messages", {"text": "over TLS"})["message"]
    assert page.wait_for("message:new")["message"]["id"] == sent["id"]
    page.close()


def test_a_certificate_is_renewed_and_nobody_notices(site: Fleet, trusted: Path) -> None:
    alice, before = somebody(trusted), serial(trusted)
    page = alice.connect()
    page.wait_for("hello")
    site.hosts["lb1"].run("certbot renew --force-renewal --no-random-sleep-on-renew")
    until(lambda: serial(trusted) != before, 10, "the new certificate")
    sent = alice.ok("POST", f"/channels/{alice.general()}/messages", {"text": "go on"})["message"]
    assert page.wait_for("message:new")["message"]["id"] == sent["id"], "the page kept its socket"
    page.close()


def test_a_second_run_changes_nothing(site: Fleet, build: Callable[..., Play]) -> None:
    assert build().changed == dict.fromkeys(set(site.hosts) - {"data1"}, 0)


def test_only_the_fleet_gets_in(site: Fleet) -> None:
    for name, port in (("api1", 8000), ("redis1", 6379), ("redis2", 26379), ("watch1", 9090), ("lb1", 9090)):
        with pytest.raises(TimeoutError):
            socket.create_connection((ADDRESSES[name], port), timeout=1).close()


def test_metrics_of_every_host_and_process_arrive_and_every_rule_can_be_judged(site: Fleet) -> None:
    def up() -> set[tuple[str, str]]:
        found = ask(site, "query?query=up==1")["result"]
        return {(one["metric"]["job"], one["metric"]["host"]) for one in found}

    expected = {("host", name) for name in site.hosts if name != "data1"}
    expected |= {("dashify-api", name) for name in GROUPS["api"]}
    expected |= {(f"dashify-{what}", name) for name in GROUPS["workers"] for what in ("worker", "scheduler")}
    expected |= {("redis", name) for name in GROUPS["redis"]} | {("haproxy", "lb1"), ("prometheus", "watch1")}
    until(lambda: up() == expected, 60, "metrics of every host")
    rules = rules_of(site)
    assert len(rules) > 30
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}, "unknown: not yet judged"
    until(lambda: [rule["name"] for rule in rules_of(site) if rule["health"] != "ok"] == [], 60, "every rule judged")
    until(lambda: [rule["name"] for rule in rules_of(site)
                   if rule["state"] != "inactive" and rule["labels"]["severity"] == "page"] == [], 120,
          "no alert that would wake somebody")


def test_capacity_counts_the_fleet_by_its_metrics(site: Fleet) -> None:
    command = f"dashify capacity --prometheus http://dashify@{ADDRESSES['watch1']}:9090 --password-file - --json"
    said = site.hosts["api1"].run(f"{command} --seconds 60 < /etc/prometheus/dashify-password")
    running = {group["name"]: group["running"] for group in json.loads(said)["groups"]}
    assert running["api"] == len(GROUPS["api"])
    assert {count for name, count in running.items() if name != "api"} == {len(GROUPS["workers"])}, running


def test_a_host_that_joins_is_let_in_by_the_others(site: Fleet, build: Callable[..., Play]) -> None:
    joining = site.add("worker3", ADDRESSES["worker3"], (bare_root(),))
    joining.wait()
    with pytest.raises(AssertionError):
        joining.run(reach("redis1", 6379))
    build("scale", workers=[*GROUPS["workers"], "worker3"])
    joining.run(reach("redis1", 6379))
    assert joining.run("systemctl is-active dashify-workers.target").strip() == "active"
    with pytest.raises(TimeoutError):
        socket.create_connection((ADDRESSES["worker3"], 9210), timeout=1).close()
    said = joining.run("journalctl --no-pager -o cat -u 'dashify-worker@*'")
    assert said.count("Worker started") >= 6, "each has found Redis and MongoDB"
    site.remove(joining)


def reach(name: str, port: int) -> str:
    """Give the line of shell that fails where a port of a host cannot be reached."""
    return f"timeout 3 bash -c ': < /dev/tcp/{ADDRESSES[name]}/{port}'"


def rules_of(site: Fleet) -> list[dict[str, Any]]:
    return [rule for group in ask(site, "rules")["groups"] for rule in group["rules"]]


def ask(site: Fleet, what: str) -> dict[str, Any]:
    """Ask Prometheus on its host, with the password that agents show."""
    script = ("import base64, sys, urllib.request as r; p = open('/etc/prometheus/dashify-password').read().strip(); "
              "q = r.Request(sys.argv[1]); a = base64.b64encode(f'dashify:{p}'.encode()).decode(); "
              "q.add_header('Authorization', 'Basic ' + a); print(r.urlopen(q, timeout=20).read().decode())")
    address = f"http://{ADDRESSES['watch1']}:9090/api/v1/{what}"
    answer = json.loads(site.hosts["watch1"].run(f'python3 -c "{script}" {address!r}'))
    assert answer["status"] == "success", answer
    return dict(answer["data"])
