"""A fleet from bare hosts: built by one playbook, left alone by the next run of it, and what people get from it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import requests

from tests.fleet.conftest import Playbook, Releases
from tests.fleet.hosts import Fleet
from tests.fleet.inventory import BALANCER, SETTINGS
from tests.system.kit import Person, until


def test_a_second_run_changes_nothing(site: Fleet, playbook: Playbook, releases: Releases) -> None:
    again = playbook("site", dashify_release_archive=str(releases.first))
    assert again.changed == dict.fromkeys(set(site.hosts) - {"data1"}, 0)


def test_a_setting_that_the_release_does_not_know_is_refused_in_words_and_kept_out(
        site: Fleet, playbook: Playbook, releases: Releases) -> None:
    kept = site.hosts["worker1"].run("cat /etc/dashify/dashify.env")
    refused = playbook("site", "--limit", "worker1", succeeds=False, dashify_release_archive=str(releases.first),
                       dashify_settings={**SETTINGS, "DASHIFY_MOTTO": "onwards"})
    assert "This release has no setting DASHIFY_MOTTO: docs/settings.md lists them all." in refused.output
    assert site.hosts["worker1"].run("cat /etc/dashify/dashify.env") == kept


def test_people_sign_up_and_talk_through_the_balancer(site: Fleet) -> None:
    alice = Person(BALANCER).sign_up("Alice", "Acme")
    bob = alice.invite("Bob")
    general = alice.general()
    pages = [bob.connect() for _ in range(4)]
    instances = {page.wait_for("hello")["instance"] for page in pages}
    assert {name.rpartition("-")[0] for name in instances} == {"api1", "api2"}
    sent = alice.ok("POST", f"/channels/{general}/messages", {"text": "hello from a balancer"})["message"]
    for page in pages:
        assert page.wait_for("message:new")["message"]["id"] == sent["id"]
        page.close()


def test_a_reload_of_the_balancer_hangs_up_on_nobody_who_is_about_to_ask(site: Fleet) -> None:
    kept = HTTPConnection(BALANCER.removeprefix("http://"), timeout=20)
    kept.connect()
    kept.auto_open = 0  # it raises where the balancer has hung up

    def is_last_answer() -> bool:
        kept.request("GET", "/healthz")
        answer = kept.getresponse()
        answer.read()
        assert answer.status == 200
        return answer.will_close

    assert not is_last_answer()
    site.hosts["lb1"].run("systemctl reload haproxy")
    until(is_last_answer, 30, "the process of before the reload, which says that it goes")


def test_work_is_done_by_the_worker_hosts(site: Fleet) -> None:
    alice = Person(BALANCER).sign_up("Alice", "Acme")
    job = alice.ok("POST", "/reports", {"kind": "members", "format": "csv"})["job"]["id"]
    done = until(lambda: (found := alice.ok("GET", f"/jobs/{job}")["job"])["status"] == "done" and found, 60)
    assert alice.user["email"] in alice.http.get(BALANCER + done["result_url"], timeout=20).text
    upload = alice.call("POST", "/documents", files={"file": ("zebra.md", b"# Zebras\n\nThe zebra sleeps standing.\n")})
    document = upload.json()["document"]["id"]
    until(lambda: alice.ok("GET", f"/documents/{document}")["document"]["status"] == "ready", 60)
    found = until(lambda: alice.ok("GET", "/search?q=zebra")["results"], 60)
    assert "zebra" in found[0]["snippet"].lower()


def test_what_is_for_operators_is_not_for_everybody(site: Fleet) -> None:
    for path in ("/metrics", "/platform/rq", "/platform/rq/", "/%6detrics", "//metrics", "/platform//rq"):
        answer = requests.get(BALANCER + path, timeout=10, allow_redirects=False)
        assert answer.status_code in (403, 404) or "dashify_" not in answer.text, path
        assert "dashify_http" not in answer.text, path
    release = requests.get(f"{BALANCER}/healthz", timeout=10).json()
    assert release == {"status": "up", "release": "r1"}


def test_no_host_offers_more_than_it_must(site: Fleet) -> None:
    for name, ports in (("lb1", {22, 80}), ("api1", {22, 8000}), ("worker1", {22})):
        listening = site.hosts[name].run("ss -Hltn").split("\n")
        open_ports = {int(line.split()[3].rpartition(":")[2]) for line in listening
                      if line and not line.split()[3].startswith(("127.", "[::1]"))}
        assert open_ports == ports, name


def test_secrets_are_in_files_that_only_the_services_read(site: Fleet) -> None:
    api1 = site.hosts["api1"]
    assert api1.run("stat -c '%a %U %G' /etc/dashify/secrets/*").split("\n")[0] == "640 root dashify"
    secret = api1.run("cat /etc/dashify/secrets/secret_key").strip()
    assert len(secret) >= 32
    everything = api1.run("journalctl --no-pager; cat /etc/dashify/*.env; ps axeww")
    assert secret not in everything


def test_a_flood_from_one_address_ends_at_the_balancer(site: Fleet) -> None:
    with requests.Session() as http, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: http.get(f"{BALANCER}/healthz", timeout=20).status_code, range(4_000)))
    assert set(answers) == {200, 429}
    refused = requests.get(f"{BALANCER}/healthz", timeout=10)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "10"
    until(lambda: requests.get(f"{BALANCER}/healthz", timeout=10).status_code == 200, 30, "the address forgiven")
