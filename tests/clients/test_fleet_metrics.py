"""Reading metrics: from processes, and from something that speaks as Prometheus does."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner

from dashify.cli import main
from dashify.clients.fleet_metrics import ask_prometheus, scrape
from dashify.errors import Unavailable

Answer = Callable[[str, str], tuple[int, str]]


class Serve(Protocol):
    def __call__(self, answer: Answer, shown: str | None = None) -> str: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a function that serves `answer(path, body)` on a free port, to who shows `shown`; it gives the address."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer, shown: str | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                known = self.headers.get("Authorization") == shown
                status, text = answer(self.path, body) if known else (401, "Unauthorized")
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET

            def log_message(self, *about: Any) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def metrics_of(reading: int) -> str:
    return (
        "# TYPE process_cpu_seconds_total counter\n"
        f"process_cpu_seconds_total {5 + reading}\n"
        "# TYPE dashify_process_slots gauge\n"
        'dashify_process_slots{queue="",role="api"} 10000.0\n'
        "# TYPE dashify_http_request_seconds histogram\n"
        f'dashify_http_request_seconds_bucket{{le="+Inf",route="/a \\"b\\""}} {reading * 7}\n'
        f'dashify_http_request_seconds_count{{route="/a \\"b\\""}} {reading * 7}\n'
        f'dashify_http_request_seconds_sum{{route="/a \\"b\\""}} 0.5\n'
        "# TYPE python_info gauge\npython_info 1.0\n")


def test_processes_are_read_twice_and_only_what_counts_is_kept(serve: Serve) -> None:
    readings = iter(range(10))
    url = serve(lambda path, body: (200, metrics_of(next(readings))))
    [(target, series)] = scrape([url + "/metrics"], 0.3).items()
    assert target == url.removeprefix("http://")
    assert {name for name, _ in series} == {"process_cpu_seconds_total", "dashify_process_slots",
                                            "dashify_http_request_seconds_count"}
    points = series["dashify_http_request_seconds_count", (("route", '/a "b"'),)]
    assert [value for _, value in points] == [0, 7]
    assert points[1][0] - points[0][0] > 0.15  # the time that the first reading takes counts too


@pytest.mark.parametrize(("status", "text"), [(404, ""), (302, ""), (200, "<html>no metrics</html>"), (500, "x 1\n")])
def test_what_is_no_metrics_is_refused_without_the_addresses_password(serve: Serve, status: int, text: str) -> None:
    url = serve(lambda path, body: (status, text)).replace("//", "//somebody:hush@")
    with pytest.raises(Unavailable) as refusal:
        scrape([url], 0.0)
    assert "127.0.0.1" in refusal.value.message
    assert "hush" not in refusal.value.message


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/metrics", "nonsense", "ftp://x", "http://[", ""])
def test_who_does_not_answer_is_named(url: str) -> None:
    for read in (lambda: scrape([url], 0.0), lambda: ask_prometheus(url, 10)):
        with pytest.raises(Unavailable):
            read()


def series(name: str, values: list[Any], **labels: str) -> dict[str, Any]:
    return {"metric": {"__name__": name, "instance": "h1:8000", "job": "dashify", **labels}, "values": values}


def test_prometheus_is_asked_for_its_last_minutes(serve: Serve) -> None:
    asked: list[tuple[str, str]] = []

    def answer(path: str, body: str) -> tuple[int, str]:
        asked.append((path, parse_qs(body)["query"][0]))
        result = [series("process_cpu_seconds_total", [[100.0, "1"], [115.0, "4"]]),
                  series("dashify_process_slots", [[100.0, "10000"], [115.0, "10000"]], role="api", queue="")]
        return 200, json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})

    url = serve(answer)
    readings = ask_prometheus(url + "/", 120)
    assert readings == {"dashify h1:8000": {
        ("process_cpu_seconds_total", ()): [(100.0, 1.0), (115.0, 4.0)],
        ("dashify_process_slots", (("queue", ""), ("role", "api"))): [(100.0, 10_000.0), (115.0, 10_000.0)]}}
    [(path, query)] = asked
    assert path == "/api/v1/query"
    assert query.endswith("[120s]")
    assert "process_cpu_seconds_total" in query
    done = CliRunner().invoke(main, ["capacity", "--prometheus", url, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["processes"][0]["cores"] == pytest.approx(0.2)
    [api] = [one for one in found["groups"] if one["name"] == "api"]
    assert (api["running"], api["needed"], api["needed_doubled"]) == (1, 2, 2)
    assert found["bottleneck"] == {"group": "api", "thing": "processor", "pressure": pytest.approx(1 / 3)}


def test_processes_of_several_hosts_are_told_apart_although_each_host_reads_its_own_on_loopback(serve: Serve) -> None:
    points = [[100.0, "1"], [115.0, "4"]]

    def of(name: str, host: str, **labels: str) -> dict[str, Any]:
        return series(name, points, instance="127.0.0.1:8000", host=host, **labels)

    result = [of("process_cpu_seconds_total", "api1"), of("process_cpu_seconds_total", "api2"),
              of("dashify_model_slots", "api1", exported_host="http://models1")]
    readings = ask_prometheus(serve(lambda path, body: (200, json.dumps(
        {"status": "success", "data": {"result": result}}))), 60)
    known = [(100.0, 1.0), (115.0, 4.0)]
    assert readings == {
        "dashify api1 127.0.0.1:8000": {("process_cpu_seconds_total", ()): known,
                                        ("dashify_model_slots", (("host", "http://models1"),)): known},
        "dashify api2 127.0.0.1:8000": {("process_cpu_seconds_total", ()): known}}


def test_a_label_of_the_process_itself_stays_where_prometheus_knows_no_hosts(serve: Serve) -> None:
    result = [series("dashify_model_slots", [[100.0, "1"]], host="http://models1")]
    readings = ask_prometheus(serve(lambda path, body: (200, json.dumps(
        {"status": "success", "data": {"result": result}}))), 60)
    assert readings == {"dashify h1:8000": {
        ("dashify_model_slots", (("host", "http://models1"),)): [(100.0, 1.0)]}}


def test_a_prometheus_that_wants_a_password_gets_it_from_a_file(serve: Serve, tmp_path: Path) -> None:
    series_of = [series("process_cpu_seconds_total", [[100.0, "1"], [115.0, "4"]]),
                 series("dashify_process_slots", [[100.0, "9"], [115.0, "9"]], role="api", queue="")]
    found = json.dumps({"status": "success", "data": {"result": series_of}})
    shown = "Basic " + b64encode(b"dashify:p@ss:w/rd%20").decode()
    url = serve(lambda path, body: (200, found), shown).replace("http://", "http://dashify@")
    (tmp_path / "password").write_text("p@ss:w/rd%20\n")
    asking = ["capacity", "--prometheus", url, "--password-file"]
    assert CliRunner().invoke(main, [*asking, str(tmp_path / "password")]).exit_code == 0
    assert CliRunner().invoke(main, [*asking, "-"], input="p@ss:w/rd%20\n").exit_code == 0
    refused = CliRunner().invoke(main, [*asking, "-"], input="another\n")
    assert refused.exit_code == 1
    assert "another" not in refused.output


@pytest.mark.parametrize(("status", "text"), [
    (200, "no json"), (200, "[]"), (200, '{"status":"error","error":"bad"}'), (503, '{"status":"success"}'),
    (200, '{"status":"success","data":{}}'), (200, '{"status":"success","data":{"result":[{"metric":{}}]}}'),
    (200, '{"status":"success","data":{"result":[{"metric":{"__name__":"x"},"values":[["a","b"]]}]}}')])
def test_a_prometheus_that_answers_otherwise_is_refused(serve: Serve, status: int, text: str) -> None:
    with pytest.raises(Unavailable):
        ask_prometheus(serve(lambda path, body: (status, text)), 60)


@pytest.mark.parametrize("arguments", [
    [], ["--prometheus", "http://x", "--targets", __file__], ["--targets", "/no/such/file"],
    ["--prometheus", "http://x", "--seconds", "0"], ["--targets", __file__, "--password-file", __file__]])
def test_what_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    done = CliRunner().invoke(main, ["capacity", *arguments])
    assert done.exit_code == 2
    assert done.output


def test_a_fleet_in_which_nobody_is_found_is_said_in_a_sentence(serve: Serve, tmp_path: Any) -> None:
    url, file = serve(lambda path, body: (200, "x 1\n")), tmp_path / "targets"
    file.write_text(f"# ours\n\n{url}\n{url}\n")
    done = CliRunner().invoke(main, ["capacity", "--targets", str(file), "--seconds", "1"])
    assert (done.exit_code, "No process of Dashify" in done.output) == (1, True)
    file.write_text("# nothing\n")
    assert "names no address" in CliRunner().invoke(main, ["capacity", "--targets", str(file)]).output
