"""The inventory that the tests give to Ansible: every host by role, and the settings and secrets of this one run."""

from __future__ import annotations

import json
import secrets
import shlex
from pathlib import Path
from typing import Any

from tests.fleet import data
from tests.fleet.hosts import Fleet

BALANCER = "http://198.18.77.10"
ADDRESSES = {
    "lb1": "198.18.77.10", "api1": "198.18.77.11", "api2": "198.18.77.12", "worker1": "198.18.77.21",
    "worker2": "198.18.77.22", "redis1": "198.18.77.41", "redis2": "198.18.77.42", "redis3": "198.18.77.43",
    "api3": "198.18.77.13", "worker3": "198.18.77.23", "data1": data.ADDRESS, "vendors1": "198.18.77.51",
    "watch1": "198.18.77.61", "one1": "198.18.77.71"}
# Those that site.yml builds. api3 and worker3 are what scale.yml adds, watch1 and one1 have tests of their own, data1
# is there before all others.
BUILT = ("lb1", "api1", "api2", "worker1", "worker2", "redis1", "redis2", "redis3")
GROUPS = {"load_balancers": ["lb1"], "api": ["api1", "api2"], "workers": ["worker1", "worker2"],
          "redis": ["redis1", "redis2", "redis3"], "mongodb": [], "qdrant": [], "models": [], "monitoring": []}
REDIS_USERS = ("admin", "replica", "sentinel", "sessions", "pubsub", "queues", "watch")
# What a load from one address asks for, and mails into a folder, since no mail host is here.
SETTINGS = {
    "DASHIFY_QDRANT_URL": data.QDRANT_URL, "DASHIFY_EMBEDDING_URL": data.MODELS_URL, "DASHIFY_PUBLIC_URL": BALANCER,
    "DASHIFY_MAIL_URL": "file:///var/lib/dashify/mails", "DASHIFY_LIMIT_SOCKETS_PER_USER": "1000",
    "DASHIFY_LIMIT_SOCKETS_PER_ADDRESS": "10000", "DASHIFY_LIMIT_REPORTS_PER_HOUR": "10000",
    "DASHIFY_LIMIT_UPLOADS_PER_HOUR": "10000"}


class Inventory:
    """Writes inventories into `folder`, all with the same secrets of this run; nobody else may read them."""

    def __init__(self, folder: Path, fleet: Fleet) -> None:
        self.folder = folder
        self.redis_passwords = {user: secrets.token_urlsafe(24) for user in REDIS_USERS}
        self._variables: dict[str, Any] = {
            "ansible_user": "root", "ansible_ssh_common_args": shlex.join(fleet.ssh_options),
            "ansible_python_interpreter": "/usr/bin/python3",
            "redis_passwords": self.redis_passwords,
            "dashify_settings": SETTINGS,
            # A guest cannot have more open files than this machine gives us.
            "haproxy_maxconn": 8000,
            # Twice what the load asks for from its one address.
            "haproxy_requests_per_second": 250,
            "dashify_secrets": {"DASHIFY_SECRET_KEY": secrets.token_urlsafe(48),
                                "DASHIFY_MONGODB_URL": data.MONGODB_URL}}

    def write(self, **other_groups: list[str]) -> Path:
        """Write the inventory of the fleet, where `other_groups` may have other hosts than usual."""
        children = {group: {"hosts": {name: {"ansible_host": ADDRESSES[name]} for name in names}}
                    for group, names in {**GROUPS, **other_groups}.items()}
        path = self.folder / f"hosts-{secrets.token_hex(4)}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"all": {"vars": self._variables, "children": children}}, indent=1))
        return path
