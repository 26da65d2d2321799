"""The workers' entry: `worker.py QUEUE…` (several names start one child each) or `worker.py --scheduler`."""

from __future__ import annotations

import sys

from dashify.domain.jobs import Queue
from dashify.errors import EXIT_OUTDATED, SettingsError
from dashify.settings import Settings, child_environment, from_env


def by_greenlets(names: list[str]) -> bool:
    """Tell whether `names` ask for a worker whose jobs are greenlets."""
    try:
        return len(names) == 1 and names[0] in list(Queue) and from_env().queues[names[0]].greenlets
    except SettingsError:
        return False  # said in one sentence below


if __name__ == "__main__" and by_greenlets(sys.argv[1:]):
    from gevent import monkey

    monkey.patch_all()

# ruff: noqa: E402 - what follows must find the threads, locks and sockets it is to use
import signal
import subprocess
import time
from dataclasses import replace
from types import FrameType

from dashify import logs
from dashify.jobs.serve import serve, serve_schedule

USAGE = f"Usage: worker.py QUEUE… (of {', '.join(Queue)}) or worker.py --scheduler"


def main(names: list[str]) -> int:
    """Start what `names` say; give the exit status."""
    scheduler = names == ["--scheduler"]
    unknown = [name for name in names if name not in list(Queue)]
    if not names or (unknown and not scheduler):
        print(f"There is no queue named {unknown[0]!r}. {USAGE}" if unknown else USAGE, file=sys.stderr)
        return 2
    try:
        settings = from_env()
    except SettingsError as error:
        print(error.message, file=sys.stderr)
        return 2
    logs.set_up(settings.log_level, process="scheduler" if scheduler else f"worker-{'+'.join(names)}")
    if scheduler:
        return serve_schedule(settings)
    return serve(Queue(names[0]), settings) if len(names) == 1 else _serve_children(names, settings)


def _serve_children(names: list[str], settings: Settings) -> int:
    """Run one child a queue and pass signals on; when one ends unasked, stop the others too, for a restart of all."""
    children: list[subprocess.Popen[bytes]] = []
    stopping = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    for offset, name in enumerate(names):
        port = settings.metrics_port + offset if settings.metrics_port > 0 else 0
        environment = child_environment(replace(settings, metrics_port=port).to_env())
        # A session of its own keeps a terminal's Ctrl-C from reaching it twice.
        command = [sys.executable, __file__, name]
        children.append(subprocess.Popen(command, env=environment, start_new_session=True))  # noqa: S603 - ours
    if stopping:
        stop(signal.SIGTERM, None)
    while any(child.poll() is None for child in children):
        if not stopping and any(child.poll() is not None for child in children):
            stop(signal.SIGTERM, None)
        time.sleep(0.2)
    statuses = [abs(child.wait()) for child in children]
    # Those that were stopped on account of the one that is too old say less.
    return EXIT_OUTDATED if EXIT_OUTDATED in statuses else max(statuses)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
