"""What Ansible and the product must agree on: queues, settings, ports, and what is measured."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from prometheus_client import REGISTRY

from dashify import metrics
from dashify.domain.jobs import Queue
from dashify.settings import Settings, from_env

ROOT = Path(__file__).resolve().parents[1]
ANSIBLE = ROOT / "ansible"
RUNBOOKS = ROOT / "docs" / "runbooks.md"
# What backup.yml writes, and no process of ours.
WRITTEN_ELSEWHERE = {"dashify_backup_finished_seconds"}


def load(path: str) -> Any:
    return yaml.safe_load((ANSIBLE / path).read_text(encoding="utf-8"))


def render(path: str, **variables: Any) -> str:
    """Render a template as Ansible would, with those of its filters that ours use."""
    loader = jinja2.FileSystemLoader((ANSIBLE / path).parent)
    environment = jinja2.Environment(
        loader=loader, trim_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    environment.filters["regex_replace"] = lambda text, pattern, by: re.sub(pattern, by, text)
    environment.filters["to_json"] = json.dumps
    environment.filters["product"] = itertools.product
    environment.filters["difference"] = lambda these, those: [one for one in these if one not in those]
    return environment.get_template(Path(path).name).render(ansible_managed="Ansible", **variables)


def as_systemd_reads(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r'[A-Z_]+="(?:[^"\\$`]|\\["\\$`])*"', line) for line in lines)
    pairs = (line.split("=", 1) for line in lines)
    return {name: re.sub(r'\\(["\\$`])', r"\1", value[1:-1]) for name, value in pairs}


def rules(**variables: Any) -> list[dict[str, Any]]:
    defaults = load("roles/monitoring/defaults/main.yml")
    text = render("roles/monitoring/templates/rules.yml.j2", **{
        "groups": {"all": ["api1", "redis1"]}, "redis_hosts": ["redis1", "redis2", "redis3"], "redis_replicated": True,
        **defaults, **variables})
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def test_every_queue_has_a_worker_on_a_worker_host() -> None:
    usual = load("group_vars/all/wiring.yml")["dashify_workers_usual"]
    assert set(usual) == {queue.value for queue in Queue}
    assert min(usual.values()) >= 1
    assert set(load("roles/dashify/meta/argument_specs.yml")["argument_specs"]["main"]["options"]["dashify_workers"][
        "options"]) == set(usual)
    assert set(load("roles/monitoring/defaults/main.yml")["monitoring_queue_patience"]) == set(usual)


@pytest.mark.parametrize("inventory", ["single", "fleet"])
def test_every_inventory_has_hosts_of_each_kind(inventory: str) -> None:
    groups = load(f"inventories/{inventory}/hosts.yml")["all"]["children"]
    for name in ("load_balancers", "api", "workers", "mongodb", "redis", "qdrant", "models"):
        assert groups[name]["hosts"], name


def test_every_setting_reaches_the_processes_through_ansible() -> None:
    wanted = Settings(secret_key="s" * 40).to_env()
    secrets = {name: wanted.pop(name) for name in ("DASHIFY_SECRET_KEY", "DASHIFY_REDIS_URL")}
    text = render("roles/dashify/templates/dashify.env.j2", __dashify_settings=wanted, __dashify_secrets=secrets)
    given = as_systemd_reads(text)
    assert {name: value for name, value in given.items() if not name.endswith("_FILE")} == wanted
    assert {name for name in given if name.endswith("_FILE")} == {f"{name}_FILE" for name in secrets}
    assert from_env({**wanted, **secrets}).to_env() == {**wanted, **secrets}


@pytest.mark.parametrize("value", ['a "b" c', r"back\slash", "$HOME `id` %n", "it's", "# no comment", ""])
def test_no_value_is_read_otherwise_than_it_was_meant(value: str) -> None:
    text = render("roles/dashify/templates/dashify.env.j2", __dashify_settings={"DASHIFY_MAIL_FROM": value},
                  __dashify_secrets={})
    assert as_systemd_reads(text) == {"DASHIFY_MAIL_FROM": value}


def test_what_each_process_chooses_for_itself_is_a_setting() -> None:
    known = Settings(secret_key="s" * 40).to_env()
    api = as_systemd_reads(render("roles/dashify/templates/api.env.j2", inventory_hostname="api1",
                                  host_address="10.0.0.1", __dashify_slot="a", __dashify_port=8000))
    worker = as_systemd_reads(render(
        "roles/dashify/templates/worker.env.j2", inventory_hostname="worker1", __dashify_worker="indexer-2",
        __dashify_worker_index=3, dashify_worker_metrics_from=9210))
    assert api == {"DASHIFY_BIND": "10.0.0.1:8000,127.0.0.1:8000", "DASHIFY_INSTANCE": "api1-a"}
    assert worker == {"QUEUE": "indexer", "DASHIFY_INSTANCE": "worker1-indexer-2", "DASHIFY_METRICS_PORT": "9213"}
    assert (set(api) | set(worker)) - {"QUEUE"} <= set(known)


def test_an_alert_says_what_is_wrong_and_what_to_do() -> None:
    sections = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(encoding="utf-8"), re.MULTILINE)
    alerts = {rule["alert"] for rule in rules()}
    assert len(alerts) > 20
    assert alerts == set(sections)
    for rule in rules():
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_what_is_alerted_on_and_shown_is_measured() -> None:
    assert metrics.http_requests
    measured = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    measured |= {f"{family.name}_{end}" for family in REGISTRY.collect() for end in ("bucket", "sum", "count", "total")}
    measured |= {family.name for family in REGISTRY.collect()} | WRITTEN_ELSEWHERE
    asked = "\n".join(rule["expr"] for rule in rules())
    boards = sorted((ANSIBLE / "roles" / "monitoring" / "files" / "dashboards").glob("*.json"))
    assert len(boards) == 5
    for board in boards:
        panels = json.loads(board.read_text(encoding="utf-8"))["panels"]
        asked += "\n".join(target["expr"] for panel in panels for target in panel["targets"])
    names = set(re.findall(r"\bdashify_\w+", asked))
    assert len(names) > 15
    assert names <= measured


def test_no_secret_is_committed_with_an_inventory() -> None:
    for example in ANSIBLE.glob("inventories/*/group_vars/all/vault.yml.example"):
        values = [value for entry in yaml.safe_load(example.read_text(encoding="utf-8")).values()
                  for value in (entry.values() if isinstance(entry, dict) else [entry])]
        assert set(values) == {"REPLACE"}
    assert "ansible/inventories/*/group_vars/all/vault.yml" in (ROOT / ".gitignore").read_text(encoding="utf-8")
