"""Certificates that trust themselves, and an authority that gives others by ACME: Debian's Pebble, on data1."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.fleet import data
from tests.fleet.hosts import Host
from tests.fleet.roots import quietly
from tests.system.kit import until

NAME = "team.dashify.test"
DIRECTORY = f"https://{data.ADDRESS}:14000/dir"
_SETTINGS = {"pebble": {
    "listenAddress": f"{data.ADDRESS}:14000", "managementListenAddress": "127.0.0.1:15000", "httpPort": 80,
    "tlsPort": 443, "certificate": "/etc/pebble.pem", "privateKey": "/etc/pebble.key", "ocspResponderURL": "",
    "externalAccountBindingRequired": False}}


def self_signed(address: str) -> tuple[str, str]:
    """Make a key and a certificate for an address, both as PEM."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder) / "key", Path(folder) / "certificate"
        quietly("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", f"/CN={address}", "-addext", f"subjectAltName=IP:{address}",
                "-keyout", key, "-out", certificate)
        return key.read_text(), certificate.read_text()


def start(host: Host, *, of: str, trusted_by: Host) -> None:
    """Start it on `host`, where the name leads to the address `of`; `trusted_by` believes it."""
    key, certificate = self_signed(data.ADDRESS)
    host.write("/etc/pebble.key", key)
    host.write("/etc/pebble.pem", certificate)
    trusted_by.write("/usr/local/share/ca-certificates/authority.crt", certificate)
    host.write("/etc/pebble.json", json.dumps(_SETTINGS))
    host.run(f"echo '{of} {NAME}' >> /etc/hosts; systemd-run -q --unit=pebble --setenv=PEBBLE_VA_NOSLEEP=1 "
             "--setenv=PEBBLE_WFE_NONCEREJECT=0 pebble -config /etc/pebble.json")
    trusted_by.run("update-ca-certificates")
    until(lambda: host.try_run(_ASK).returncode == 0, 20, "the authority")


def root_certificate(host: Host) -> str:
    """Give the certificate that it signs with, new at each start."""
    return host.run(_ASK)


_ASK = ("python3 -c \"import ssl, urllib.request as r; print(r.urlopen('https://127.0.0.1:15000/roots/0', "
        "context=ssl._create_unverified_context(), timeout=5).read().decode())\"")
