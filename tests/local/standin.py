"""A run of the supervisor over small stand-ins, as a program of its own, so that tests can signal and kill it.

As a child (`standin.py child NAME PORT JOURNAL [option…]`) it writes to the journal when it starts and stops, and
answers HTTP; as the supervisor (`standin.py run PLAN [app.py's options]`) it runs the children in the JSON file PLAN.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from dashify.local import probes
from dashify.local.folder import Folder
from dashify.local.run import main
from dashify.local.stack import QUEUES, Options, Stack
from dashify.local.supervisor import Child


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the overridden parameter
        print("asked", *args, flush=True)


def child(name: str, port: int, journal: Path, options: list[str]) -> None:
    def note(what: str) -> None:
        with journal.open("a") as file:
            file.write(f"{what} {name}\n")

    def leave(*_details: object) -> None:
        note("stop")
        sys.exit(0)

    note("start")
    if "dies" in options:
        print(f"{name} has had enough", flush=True)
        sys.exit(3)
    if "ends" in options:
        time.sleep(0.5)
        note("end")
        sys.exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in options else leave)
    if "escapes" in options:
        # A helper in a process group of its own, which a signal to the child's group does not reach.
        subprocess.Popen(["sleep", "600"], process_group=0)
    if "slow" in options:
        time.sleep(0.5)
    HTTPServer(("127.0.0.1", port), Hello).serve_forever()


def table(plan: list[dict[str, Any]], options: Options, folder: Folder) -> Stack:
    journal = folder.path / "journal"
    ports = folder.ports([row["name"] for row in plan])
    children = [
        Child(
            name=row["name"], start_wave=row.get("wave", 1), stop_wave=row.get("stop_wave", 1),
            stop_seconds=row.get("stop_seconds", 10.0), ready_seconds=row.get("ready_seconds", 30.0),
            answers=partial(probes.http_answers, f"http://127.0.0.1:{ports[row['name']]}/"),
            command=(sys.executable, __file__, "child", row["name"], str(ports[row["name"]]), str(journal),
                     *row.get("options", [])),
            environment={"PYTHONPATH": os.pathsep.join(sys.path)}, once="ends" in row.get("options", []),
        )
        for row in plan
    ]
    metrics = {f"worker-{queue}": 0 for queue in QUEUES} | {"scheduler": 0}
    return Stack(options, children, {"redis": "redis://127.0.0.1:1/0"}, metrics, {})


if __name__ == "__main__":
    if sys.argv[1] == "child":
        child(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:])
    else:
        rows = json.loads(Path(sys.argv[2]).read_text())
        sys.exit(main([*sys.argv[3:], "--no-demo"], lambda options, folder: table(rows, options, folder)))
