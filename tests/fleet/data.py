"""data1: stand-ins for MongoDB, Qdrant and a model host, which cannot be had here, on the ports of the real ones.

They are `dashify/local`'s servers, which listen on loopback only: those that are Python's behind systemd's proxy on the
host's address, and MongoDB's, through which every message goes, on all addresses of a host that nobody else reaches.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.fleet.hosts import Fleet, Host
from tests.fleet.roots import bare_root, cached, mount, quietly, unmount
from tools.release import make_wheels
from tools.steps import ROOT

ADDRESS = "198.18.77.31"
PORTS = {"mongodb": 27017, "qdrant": 6333, "models": 11434}
_PROXIED = ("qdrant", "models")
MONGODB_URL = f"mongodb://{ADDRESS}:{PORTS['mongodb']}/?directConnection=true"
QDRANT_URL = f"http://{ADDRESS}:{PORTS['qdrant']}"
MODELS_URL = f"http://{ADDRESS}:{PORTS['models']}"
# For backup.yml and restore.yml.
DUMP, RESTORE = (f"/opt/standins/venv/bin/python /opt/standins/archive.py {what}" for what in ("dump", "restore"))
_ARCHIVE = Path(__file__).with_name("archive.py").read_text()
_SERVE = """import os, sys
from pathlib import Path
from dashify.local import embedded
command = getattr(embedded, sys.argv[1] + "_server")(Path(sys.argv[2]), int(sys.argv[3])).command
command = ["0.0.0.0" if part == "127.0.0.1" else part for part in command]
os.execv(command[0], command)
"""
_UNIT = """[Unit]
Description=Stand-in for {name}
[Service]
ExecStart=/opt/standins/venv/bin/python /opt/standins/serve.py {name} /var/lib/standins/{name} {port}
Environment=PYTHONPATH=/opt/standins/app
StateDirectory=standins/{name}
Restart=always
RestartSec=1
LimitNOFILE=65536
Nice={nice}
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
    recipe = repr((_ARCHIVE, _SERVE, _UNIT, _SOCKET, _PROXY, ADDRESS, PORTS, bare_root().name, wheels.name))
    name = f"standins-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    return cached(name, lambda layer: _install(layer, wheels))


def _install(layer: Path, wheels: Path) -> None:
    folder = layer.with_suffix(".build")
    unmount(folder)
    root = mount(folder, (bare_root(),))
    (root / "opt/standins/app/dashify").mkdir(parents=True)
    (root / "opt/standins/serve.py").write_text(_SERVE)
    (root / "opt/standins/archive.py").write_text(_ARCHIVE)
    units = root / "etc/systemd/system"
    for name, port in PORTS.items():
        nice = 10 if name == "models" else 0  # whose host would be another one
        proxy = (("-proxy.socket", _SOCKET), ("-proxy.service", _PROXY)) if name in _PROXIED else ()
        for kind, text in ((".service", _UNIT), *proxy):
            (units / f"standin-{name}{kind}").write_text(
                text.format(name=name, port=port, address=ADDRESS, nice=nice))
    quietly("systemd-nspawn", "-q", "-D", root, "--register=no", "--keep-unit", "--as-pid2",
            f"--bind-ro={wheels}:/wheels", f"--bind-ro={ROOT}:/repository", "sh", "-ec",
            "python3 -m venv /opt/standins/venv; /opt/standins/venv/bin/pip install -q --no-index --find-links /wheels"
            " -r /repository/requirements-local.txt; systemctl enable "
            + " ".join([*(f"standin-{name}.service" for name in PORTS),
                        *(f"standin-{name}-proxy.socket" for name in _PROXIED)]))
    quietly("umount", root)
    (folder / "upper").rename(layer)
    unmount(folder)
