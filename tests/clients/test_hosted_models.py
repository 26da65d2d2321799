"""A hosted endpoint of OpenAI's protocol, played by a small server; its key must never show."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dashify.clients.hosted_models import HostedHost, events
from dashify.clients.model_hosts import HostFailed, OllamaHost, pieces
from dashify.clients.model_wire import Watch
from dashify.clients.models import ChatPiece, ModelPool
from dashify.errors import Unavailable
from tests.clients.conftest import Pool

KEY = "sk-secret-0123456789"
ASK = [{"role": "user", "content": "Tell me of a river."}]


class Endpoint(ThreadingHTTPServer):
    """Answers with `lines` (bytes as they are to go out), or with `status` and `body`; remembers what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.status, self.body, self.headers = 200, b"", dict[str, str]()
        self.models_status, self.listed = 200, ["large"]
        self.asked: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.hold = threading.Event()
        self.gone = threading.Event()
        super().__init__(("127.0.0.1", 0), Answering)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away, as they do here."""


class Answering(BaseHTTPRequestHandler):
    server: Endpoint
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.say(self.server.models_status, json.dumps({"data": [{"id": one} for one in self.server.listed]}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
        if self.server.status != 200:
            return self.say(self.server.status, self.server.body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        for line in self.server.lines:
            self.wfile.write(line)
            self.wfile.flush()
        if self.server.hold.is_set():
            self.connection.recv(1)
            self.server.gone.set()

    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the overridden parameter
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def hosted(pool: Pool, endpoint: Endpoint) -> ModelPool:
    return pool(chat_models="openai:large", openai_url=f"http://127.0.0.1:{endpoint.server_port}/v1", openai_key=KEY)


def delta(text: str, **more: Any) -> bytes:
    chunk = {"choices": [{"delta": {"content": text}, "finish_reason": None} | more]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 17, "completion_tokens": 4}}\n\n'
DONE = b"data: [DONE]\n\n"


def chat(models: ModelPool, stopped: Callable[[], bool] = lambda: False) -> list[ChatPiece]:
    with models.turn("acme", "one", model="openai:large", on_position=lambda _: None, stopped=stopped) as turn:
        return list(turn.chat(ASK, max_tokens=50, stopped=stopped))


def test_an_answer_is_streamed_with_the_endpoints_counts(hosted: ModelPool, endpoint: Endpoint) -> None:
    endpoint.lines = [b": hello\n\n", delta(""), delta("The Rh"), delta("ône", finish_reason="stop"), USAGE, DONE]
    pieces = chat(hosted)
    assert "".join(piece.text for piece in pieces) == "The Rhône"
    assert (pieces[-1].prompt_tokens, pieces[-1].tokens) == (17, 4)
    headers, body = endpoint.asked[0]
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["max_tokens"], body["stream"], body["messages"]) == ("large", 50, True, ASK)


def test_without_counts_they_are_estimated(hosted: ModelPool, endpoint: Endpoint) -> None:
    endpoint.lines = [delta("The "), delta("Rhine", finish_reason="stop")]
    pieces = chat(hosted)
    assert (pieces[-1].prompt_tokens, pieces[-1].tokens) == (4, 3)


def test_an_answer_that_does_not_say_that_it_is_over_has_failed(hosted: ModelPool, endpoint: Endpoint) -> None:
    endpoint.lines = [delta("The ")]
    with pytest.raises(Unavailable) as caught:
        chat(hosted)
    assert caught.value.code == "models_failed"


def test_stopping_closes_the_connection(hosted: ModelPool, endpoint: Endpoint) -> None:
    endpoint.lines = [delta("The ")]
    endpoint.hold.set()
    heard: list[ChatPiece] = []
    stop = threading.Event()
    with hosted.turn("acme", "one", model="openai:large", on_position=lambda _: None, stopped=stop.is_set) as turn:
        for piece in turn.chat(ASK, max_tokens=50, stopped=stop.is_set):
            heard.append(piece)
            threading.Timer(0.3, stop.set).start()
    assert len(heard) == 1
    assert endpoint.gone.wait(2)


def test_an_endpoint_that_wants_the_newer_name_of_the_limit_gets_it(hosted: ModelPool, endpoint: Endpoint) -> None:
    endpoint.status, endpoint.body = 400, b'{"error": {"message": "Use \'max_completion_tokens\' instead."}}'
    with pytest.raises(Unavailable) as caught:
        chat(hosted)
    assert caught.value.code == "models_failed"
    assert [sorted(set(body) & {"max_tokens", "max_completion_tokens"}) for _, body in endpoint.asked] == [
        ["max_tokens"], ["max_completion_tokens"]]


def test_a_redirect_is_not_followed(hosted: ModelPool, endpoint: Endpoint) -> None:
    other = Endpoint()
    threading.Thread(target=other.serve_forever, args=(0.05,), daemon=True).start()
    endpoint.status, endpoint.headers = 307, {"Location": f"http://127.0.0.1:{other.server_port}/v1/chat/completions"}
    with pytest.raises(Unavailable):
        chat(hosted)
    assert not other.asked
    other.shutdown()
    other.server_close()


@pytest.mark.parametrize(("lines", "headers"), [
    ([b"data: " + b"x" * 2_000_000 + b"\n\n"], {}),
    ([b"data: " + b"x" * 100_000 + b"\n"] * 20, {}),
    ([gzip.compress(delta("Yes.", finish_reason="stop") + DONE)], {"Content-Encoding": "gzip"}),
    ([b"data: {\n\n"], {}), ([b"data: []\n\n"], {}), ([b'data: {"choices": [1]}\n\n'], {}), ([b"data: \xff\n\n"], {}),
    ([b'data: {"error": {"message": "overloaded"}}\n\n'], {}), ([], {}),
])
def test_what_is_not_the_protocol_is_a_failure_of_the_host(
        endpoint: Endpoint, hosted: ModelPool, lines: list[bytes], headers: dict[str, str]) -> None:
    endpoint.lines, endpoint.headers = lines, headers
    host = next(iter(hosted.fleet.watched.values())).host
    with pytest.raises(HostFailed):
        list(pieces(host.chat("openai:large", ASK, 5, Watch(5)), ASK, 5, lambda: None))


@pytest.mark.parametrize(("status", "line"), [(200, b" " * 2_000_000 + b"\n"), (500, b"x\n" * 9_000_000)])
def test_what_an_ollama_host_says_is_bounded_too(endpoint: Endpoint, status: int, line: bytes) -> None:
    endpoint.status, endpoint.body = status, line
    endpoint.lines = [line, b'{"message": {"role": "assistant", "content": ""}, "done": true}\n']
    with pytest.raises(HostFailed, match="ReadError"):
        list(OllamaHost(f"http://127.0.0.1:{endpoint.server_port}").chat("m", ASK, 5, Watch(5)))


def test_a_key_of_ollamas_own_cloud_goes_to_no_host(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "cloud-key")
    endpoint.lines = [b'{"message": {"role": "assistant", "content": ""}, "done": true}\n']
    address = f"127.0.0.1:{endpoint.server_port}"
    list(OllamaHost(f"http://{address}").chat("m", ASK, 5, Watch(5)))
    list(OllamaHost(f"http://me:pa%20ss@{address}").chat("m", ASK, 5, Watch(5)))
    assert [headers.get("authorization") for headers, _ in endpoint.asked] == [None, "Basic bWU6cGEgc3M="]


def test_the_key_is_nowhere_to_be_seen(pool: Pool, endpoint: Endpoint, hosted: ModelPool,
                                       caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = [repr(hosted.settings), *(repr(one.host) for one in hosted.fleet.watched.values())]
    for status in (401, 400, 429, 500):
        endpoint.status, endpoint.body = status, json.dumps({"error": {"message": f"No: {KEY}"}}).encode()
        endpoint.headers = {"Retry-After": "0"}
        host = HostedHost(f"http://127.0.0.1:{endpoint.server_port}/v1", KEY, 1, ["openai:large"])
        with pytest.raises(HostFailed) as caught:
            list(host.chat("openai:large", ASK, 5, Watch(5)))
        shown += [str(caught.value), repr(caught.value)]
    endpoint.status = 400
    with pytest.raises(Unavailable) as failed:
        chat(hosted)
    shown += [str(failed.value), failed.value.message, str(failed.value.details), caplog.text]
    assert not [text for text in shown if KEY in text]
    assert "A chat with the model host" in caplog.text


def test_an_endpoint_that_refuses_the_key_is_not_used(pool: Pool, endpoint: Endpoint, hosted: ModelPool) -> None:
    endpoint.models_status = 401
    with pytest.raises(Unavailable) as caught:
        chat(hosted)
    assert caught.value.code == "models_unavailable"
    assert not endpoint.asked


def test_an_endpoint_that_lists_no_models_is_trusted_to_have_them(hosted: ModelPool, endpoint: Endpoint) -> None:
    endpoint.models_status, endpoint.lines = 404, [delta("Yes.", finish_reason="stop"), DONE]
    assert chat(hosted)[0].text == "Yes."


STREAM = "data: a\r\ndata: ü\r\n\r\n: note\nevent: x\ndata:b\n\ndata:  c\r\rdata: d"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1_000])
def test_events_are_the_same_however_their_bytes_are_cut(size: int) -> None:
    whole = b"\xef\xbb\xbf" + STREAM.encode()
    assert list(events(whole[i:i + size] for i in range(0, len(whole), size))) == ["a\nü", "b", " c", "d"]
