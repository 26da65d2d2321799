"""The embedding host, through Ollama's own client."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import requests
from ollama import Client, ResponseError

from dashify.local.servers import running_models


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_models(tmp_path_factory.mktemp("models")) as server:
        yield server.url


def likeness(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_texts_of_like_meaning_get_like_vectors(url: str) -> None:
    texts = ["How do I reset my password?", "I forgot my login secret", "The cat sleeps on the roof"]
    answer = Client(url).embed("all-minilm", texts)
    one, same, other = answer.embeddings
    assert len(one) == 384
    assert likeness(one, one) == pytest.approx(1.0, abs=1e-5)
    assert likeness(one, same) > 0.4
    assert likeness(one, other) < 0.2
    assert (answer.prompt_eval_count or 0) > 15


def test_a_text_gets_the_same_vector_alone_and_in_a_batch(url: str) -> None:
    texts = [f"{'words ' * number} and number {number}" for number in range(1, 40)]
    batch = Client(url).embed("all-minilm:latest", texts).embeddings
    alone = Client(url).embed("all-minilm", texts[7]).embeddings[0]
    assert likeness(batch[7], alone) > 0.98


def test_the_model_is_listed_and_shown_as_running(url: str) -> None:
    client = Client(url)
    client.embed("all-minilm", "load")
    assert [model.model for model in client.list().models] == ["all-minilm:latest"]
    assert [model.model for model in client.ps().models] == ["all-minilm:latest"]
    assert "version" in requests.get(url + "/api/version", timeout=5).json()


def test_the_model_leaves_memory_when_its_time_is_over(url: str) -> None:
    client = Client(url)
    client.embed("all-minilm", "once", keep_alive="100ms")
    deadline = time.monotonic() + 10
    while client.ps().models:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(client.embed("all-minilm", "again").embeddings) == 1


def test_fewer_dimensions_are_unit_vectors_too(url: str) -> None:
    vector = Client(url).embed("all-minilm", "short", dimensions=64).embeddings[0]
    assert len(vector) == 64
    assert likeness(vector, vector) == pytest.approx(1.0, abs=1e-5)


def test_a_long_text_is_cut_unless_that_is_forbidden(url: str) -> None:
    text = "every word counts " * 2000
    assert len(Client(url).embed("all-minilm", text).embeddings) == 1
    with pytest.raises(ResponseError, match="maximum context length"):
        Client(url).embed("all-minilm", text, truncate=False)


@pytest.mark.parametrize(("body", "status", "message"), [
    ({"model": "llama3", "input": "x"}, 404, "model 'llama3' not found"),
    ({"input": "x"}, 400, "model is required"),
    ({"model": "all-minilm", "input": [1]}, 400, "invalid input type"),
    ({"model": "all-minilm", "input": {"a": 1}}, 400, "invalid input type"),
    ({"model": "all-minilm", "input": ["x"] * 513}, 400, "too many inputs"),
    ({"model": "all-minilm", "input": "x", "keep_alive": "soon"}, 400, "invalid keep_alive"),
    ({"model": "all-minilm", "input": "x", "dimensions": 385}, 400, "dimensions"),
    ([], 400, "missing request body"),
])
def test_bad_requests_are_refused_in_ollamas_words(url: str, body: object, status: int, message: str) -> None:
    answer = requests.post(url + "/api/embed", json=body, timeout=10)
    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_bytes_that_are_not_json_are_refused(url: str) -> None:
    answer = requests.post(url + "/api/embed", data=b"{", timeout=10)
    assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_a_body_over_the_limit_is_refused(url: str) -> None:
    answer = requests.post(url + "/api/embed", data=b" " * (8 * 1024 * 1024 + 1), timeout=10)
    assert answer.status_code == 413


def test_nothing_and_half_a_surrogate_are_texts_too(url: str) -> None:
    assert Client(url).embed("all-minilm", []).embeddings == []
    answer = requests.post(url + "/api/embed", data=b'{"model": "all-minilm", "input": "a \\ud800 b"}', timeout=10)
    assert len(answer.json()["embeddings"]) == 1


def test_chat_is_not_served(url: str) -> None:
    with pytest.raises(ResponseError) as caught:
        Client(url).chat("all-minilm", [{"role": "user", "content": "hello"}])
    assert caught.value.status_code == 404


def test_the_host_answers_after_a_restart(tmp_path: Path) -> None:
    with running_models(tmp_path) as server:
        server.restart()
        assert len(Client(server.url).embed("all-minilm", "again").embeddings[0]) == 384
