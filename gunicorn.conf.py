"""How gunicorn serves one API instance: one gevent worker, drained before it stops: `dashify/drain.py`."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import ctypes  # noqa: E402  # gevent must patch before anything else is imported
import os  # noqa: E402
import signal  # noqa: E402
from typing import Any  # noqa: E402

from dashify import settings as _settings  # noqa: E402
from dashify.drain import DrainingWorker, JsonLogger  # noqa: E402

_configured = _settings.from_env()

bind = _settings.split_list(_configured.bind)
# One process an instance: a second would double every subscription, and capacity is added by starting more instances.
workers = 1
worker_class = DrainingWorker
worker_connections = _configured.worker_connections
# Above any balancer's idle time, so that it is never us who closes a connection that is about to be used.
keepalive = 75
graceful_timeout = int(_configured.drain_limit_seconds) + 5
timeout = 60
backlog = 2048
preload_app = False
# A worker says once a second that it lives, by touching a file: on a disk that is busy, everybody would wait for that.
_MEMORY = "/dev/shm"  # noqa: S108 - gunicorn opens a new file there, and takes its name away
worker_tmp_dir = _MEMORY if os.path.isdir(_MEMORY) else None
proc_name = f"dashify-{_configured.instance}"
logger_class = JsonLogger
accesslog = None
errorlog = "-"
loglevel = _configured.log_level
forwarded_allow_ips = "127.0.0.1,::1"
# gunicorn's control socket is one per user: two instances would take each other's away.
control_socket_disable = True
limit_request_line = 8190
limit_request_fields = 100

_PR_SET_PDEATHSIG = 1


def post_fork(server: Any, worker: Any) -> None:
    """Die with the master, even when it is killed: an orphan would hold the port and serve unsupervised."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server.pid:
        os._exit(1)
