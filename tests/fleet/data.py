"""data1: stand-ins for MongoDB, Qdrant and a model host, which cannot be had here, on the ports of the real ones.

They are `dashify/local`'s servers, which listen on loopback only, each behind systemd's proxy on the host's address.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.fleet.hosts import Fleet, Host
from tests.fleet.roots import bare_root, cached, mount, quietly, unmount
from tools.release import ROOT, make_wheels

ADDRESS = "198.18.77.31"
PORTS = {"mongodb": 27017, "qdrant": 6333, "models": 11434}
MONGODB_URL = f"mongodb://{ADDRESS}:{PORTS['mongodb']}/?directConnection=true"
QDRANT_URL = f"http://{ADDRESS}:{PORTS['qdrant']}"
MODELS_URL = f"http://{ADDRESS}:{PORTS['models']}"
_SERVE = """import os, sys
from pathlib import Path
from dashify.local import embedded
command = getattr(embedded, sys.argv[1] + "_server")(Path(sys.argv[2]), int(sys.argv[3])).command
os.execv(command[0], command)
"""
# SecantusDB 0.7.0b3 stops for good where a plain update meets a transaction's row while another transaction waits for
# the same collection: it keeps the lock of all transactions while it waits for the second, and the first then cannot
# commit. MongoDB has no such lock. What is busy is not idle, so nothing needs to wait for it.
_UNSTUCK = (
    ("            with txn.mutex:\n                if txn.state is TxnState.IN_PROGRESS and txn.last_use < cutoff:\n"
     "                    self._rollback_quietly(txn)\n                    txn.state = TxnState.ABORTED\n"
     "                    reaped += 1\n",
     "            if not txn.mutex.acquire(blocking=False):\n                continue\n            try:\n"
     "                if txn.state is TxnState.IN_PROGRESS and txn.last_use < cutoff:\n"
     "                    self._rollback_quietly(txn)\n                    txn.state = TxnState.ABORTED\n"
     "                    reaped += 1\n            finally:\n                txn.mutex.release()\n"),
    ("    def _abort_locked(self, txn: Transaction) -> None:\n        with txn.mutex:\n"
     "            if txn.state is TxnState.IN_PROGRESS:\n"
     "                self._rollback_quietly(txn)\n                txn.state = TxnState.ABORTED\n",
     "    def _abort_locked(self, txn: Transaction) -> None:\n        if not txn.mutex.acquire(timeout=1.0):\n"
     "            return\n        try:\n            if txn.state is TxnState.IN_PROGRESS:\n"
     "                self._rollback_quietly(txn)\n                txn.state = TxnState.ABORTED\n"
     "        finally:\n            txn.mutex.release()\n"))
_UNIT = """[Unit]
Description=Stand-in for {name}
[Service]
ExecStart=/opt/standins/venv/bin/python /opt/standins/serve.py {name} /var/lib/standins/{name} {port}
Environment=PYTHONPATH=/opt/standins/app
StateDirectory=standins/{name}
Restart=always
RestartSec=1
LimitNOFILE=65536
# A database has a machine of its own; starved by its neighbors on this one it would answer too late.
Nice=-5
[Install]
WantedBy=multi-user.target
"""
_SOCKET = """[Socket]
ListenStream={address}:{port}
FreeBind=yes
Backlog=1024
[Install]
WantedBy=sockets.target
"""
_PROXY = """[Unit]
Requires=standin-{name}.service
After=standin-{name}.service
[Service]
ExecStart=/lib/systemd/systemd-socket-proxyd --connections-max=4096 127.0.0.1:{port}
LimitNOFILE=65536
"""


def add_data_host(fleet: Fleet) -> Host:
    """Boot data1 with its stand-ins; they answer a few seconds after the host."""
    ours = [(ROOT / "dashify", "/opt/standins/app/dashify")]
    return fleet.add("data1", ADDRESS, (_with_standins(), bare_root()), ours)


def _with_standins() -> Path:
    """Give the layer over a bare root that has the stand-ins' packages and units, made once for each set of them."""
    wheels = make_wheels(ROOT / "requirements-local.txt")
    units = repr((_SERVE, _UNSTUCK, _UNIT, _SOCKET, _PROXY, ADDRESS, PORTS, bare_root().name, wheels.name))
    name = f"standins-{hashlib.sha256(units.encode()).hexdigest()[:16]}"
    return cached(name, lambda layer: _install(layer, wheels))


def _install(layer: Path, wheels: Path) -> None:
    folder = layer.with_suffix(".build")
    unmount(folder)
    root = mount(folder, (bare_root(),))
    (root / "opt/standins/app/dashify").mkdir(parents=True)
    (root / "opt/standins/serve.py").write_text(_SERVE)
    units = root / "etc/systemd/system"
    for name, port in PORTS.items():
        for kind, text in ((".service", _UNIT), ("-proxy.socket", _SOCKET), ("-proxy.service", _PROXY)):
            (units / f"standin-{name}{kind}").write_text(text.format(name=name, port=port, address=ADDRESS))
    quietly("systemd-nspawn", "-q", "-D", root, "--register=no", "--keep-unit", "--as-pid2",
            f"--bind-ro={wheels}:/wheels", f"--bind-ro={ROOT}:/repository", "sh", "-ec",
            "python3 -m venv /opt/standins/venv; /opt/standins/venv/bin/pip install -q --no-index --find-links /wheels"
            " -r /repository/requirements-local.txt; systemctl enable "
            + " ".join(f"standin-{name}.service standin-{name}-proxy.socket" for name in PORTS))
    _unstick(root)
    quietly("umount", root)
    (folder / "upper").rename(layer)
    unmount(folder)


def _unstick(root: Path) -> None:
    path = next(root.glob("opt/standins/venv/lib/python3*/site-packages/secantus/transactions.py"))
    text = path.read_text()
    for stuck, unstuck in _UNSTUCK:
        assert text.count(stuck) == 1, "SecantusDB is another one; see whether it still stops"
        text = text.replace(stuck, unstuck)
    path.write_text(text)
