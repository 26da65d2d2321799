"""Chats with real tokens: streamed, stopped, failed over; and vectors. What every host must do runs against all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from prometheus_client import REGISTRY

from dashify.clients import model_health
from dashify.clients.models import ChatPiece, ModelPool
from dashify.errors import Unavailable
from dashify.local.servers import Server, running_models
from tests.clients.conftest import Pool
from tests.models.hosts import ChatHosts, eventually

ASK = [{"role": "system", "content": "You answer briefly."}, {"role": "user", "content": "Tell me of a river."}]


def chat(pool: ModelPool, *, tokens: int = 6, stopped: Callable[[], bool] = lambda: False, ticket: str = "one",
         tenant: str = "acme", heard: Callable[[int], None] = lambda _: None) -> list[ChatPiece]:
    with pool.turn(tenant, ticket, model=pool.chat_models()[0], on_position=heard, stopped=stopped) as turn:
        return list(turn.chat(ASK, max_tokens=tokens, stopped=stopped))


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def where(url: str) -> str:
    return url.removeprefix("http://")


def test_an_answer_comes_piece_by_piece_with_the_hosts_own_counts(contract_pool: ModelPool) -> None:
    pieces = chat(contract_pool, tokens=8)
    assert len([piece for piece in pieces if piece.text]) >= 2
    assert pieces[-1].tokens <= 8
    assert 5 < pieces[-1].prompt_tokens < 200
    assert all(piece.prompt_tokens > 0 and piece.tokens > 0 for piece in pieces)


def test_a_stopped_answer_ends_at_once(contract_pool: ModelPool) -> None:
    stop = threading.Event()
    with contract_pool.turn("acme", "one", model=contract_pool.chat_models()[0], on_position=lambda _: None,
                            stopped=stop.is_set) as turn:
        taken = []
        for piece in turn.chat(ASK, max_tokens=200, stopped=stop.is_set):
            taken.append(piece)
            stop.set()
    assert len(taken) < 20


def test_several_chats_of_one_turn_use_one_slot(contract_pool: ModelPool) -> None:
    with contract_pool.turn("acme", "one", model=contract_pool.chat_models()[0], on_position=lambda _: None,
                            stopped=lambda: False) as turn:
        host = turn.host
        assert list(turn.chat(ASK, max_tokens=2, stopped=lambda: False))
        assert list(turn.chat(ASK, max_tokens=2, stopped=lambda: False))
        assert turn.host == host


def test_a_model_that_is_not_offered_is_refused(contract_pool: ModelPool) -> None:
    with (pytest.raises(Unavailable) as caught,
          contract_pool.turn("acme", "one", model="gpt", on_position=lambda _: None, stopped=lambda: False)):
        raise AssertionError("the block must not run")
    assert caught.value.code == "models_unavailable"


def test_stopping_makes_the_host_stop_computing(pool: Pool, two_hosts: ChatHosts) -> None:
    stop = threading.Event()
    models = pool(two_hosts.urls[0])
    with models.turn("acme", "one", model=models.chat_models()[0], on_position=lambda _: None,
                     stopped=stop.is_set) as turn:
        for piece in turn.chat(ASK, max_tokens=800, stopped=stop.is_set):
            if piece.tokens >= 3:
                stop.set()
    eventually(lambda: two_hosts.state(0)["running"] == 0, 2)
    assert two_hosts.state(0)["cut"] == 1
    assert two_hosts.state(0)["tokens"] < 60


def test_leaving_an_answer_half_way_makes_the_host_stop_too(pool: Pool, two_hosts: ChatHosts) -> None:
    models = pool(two_hosts.urls[0])
    with models.turn("acme", "one", model=models.chat_models()[0], on_position=lambda _: None,
                     stopped=lambda: False) as turn:
        answer = turn.chat(ASK, max_tokens=800, stopped=lambda: False)
        assert next(answer).text
        answer.close()
    eventually(lambda: two_hosts.state(0)["running"] == 0, 2)
    assert two_hosts.state(0)["cut"] == 1


def test_a_stop_is_heard_while_no_token_comes(pool: Pool, two_hosts: ChatHosts) -> None:
    two_hosts.behave(0, silent=30)
    stop = threading.Event()
    asked: list[float] = []

    def stopped() -> bool:
        asked.append(time.monotonic())
        return stop.is_set()

    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    assert chat(pool(two_hosts.urls[0]), stopped=stopped) == []
    assert time.monotonic() - began < 2.5
    # Four times a second; the middle one of the pauses, since a busy machine may hold up any single one.
    assert median(later - earlier for earlier, later in pairwise(asked)) < 0.25
    eventually(lambda: two_hosts.state(0)["cut"] == 1, 2)


def test_a_host_that_is_away_is_passed_over(pool: Pool, two_hosts: ChatHosts) -> None:
    models = pool("http://127.0.0.1:9", two_hosts.urls[1])
    for number in range(3):
        assert chat(models, tokens=2, ticket=str(number))
    assert two_hosts.state(1)["calls"] == 3


@pytest.mark.parametrize("mode", [{"status": 503}, {"status": 500}, {"status": 429}, {"silent": 20},
                                  {"break_after": 0}])
def test_a_host_that_fails_before_its_first_token_is_left_for_another(
        pool: Pool, two_hosts: ChatHosts, mode: dict[str, float]) -> None:
    two_hosts.behave(0, **mode)
    models = pool(*two_hosts.urls, model_first_token_seconds=1.5)
    for number in range(40):
        assert chat(models, tokens=2, ticket=str(number))[-1].tokens == 2
        if two_hosts.state(0)["calls"]:
            break
    assert two_hosts.state(0)["calls"] == 1
    assert two_hosts.state(1)["calls"] >= 1


def test_an_answer_that_breaks_off_fails_and_is_not_begun_again(pool: Pool, two_hosts: ChatHosts) -> None:
    two_hosts.behave(0, break_after=2)
    heard = []
    models = pool(two_hosts.urls[0])
    with (pytest.raises(Unavailable) as caught,
          models.turn("acme", "one", model=models.chat_models()[0], on_position=lambda _: None,
                      stopped=lambda: False) as turn):
        heard += [piece.text for piece in turn.chat(ASK, max_tokens=9, stopped=lambda: False)]
    assert caught.value.code == "models_failed"
    assert two_hosts.state(0)["calls"] == 1


def test_a_host_that_falls_silent_in_an_answer_has_failed(pool: Pool, two_hosts: ChatHosts) -> None:
    two_hosts.behave(0, pause=20)
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        chat(pool(two_hosts.urls[0], model_stall_seconds=0.5))
    assert caught.value.code == "models_failed"
    assert time.monotonic() - began < 5


def test_without_any_host_that_works_it_is_said_at_once(pool: Pool) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        chat(pool("http://127.0.0.1:9", "http://127.0.0.1:11"))
    assert caught.value.code == "models_unavailable"
    assert time.monotonic() - began < 3


def test_a_host_that_comes_back_is_used_again(pool: Pool, two_hosts: ChatHosts) -> None:
    two_hosts.behave(0, tags_status=500)
    models = pool(two_hosts.urls[0])
    with pytest.raises(Unavailable):
        chat(models)
    two_hosts.behave(0)

    def works() -> bool:
        try:
            return bool(chat(models, tokens=2))
        except Unavailable:
            return False

    eventually(works, 10)


def test_a_host_that_keeps_failing_is_left_alone_and_tried_again(
        pool: Pool, two_hosts: ChatHosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_health, "FIRST_PAUSE", 1.0)
    two_hosts.behave(0, status=500)
    host = where(two_hosts.urls[0])
    models = pool(two_hosts.urls[0])
    with pytest.raises(Unavailable) as caught:
        chat(models)
    assert caught.value.code == "models_unavailable"
    assert two_hosts.state(0)["calls"] == model_health.MOST_FAILURES
    assert counted("dashify_model_breaker_open", host=host) == 1
    two_hosts.behave(0)
    with pytest.raises(Unavailable):
        chat(models)
    assert two_hosts.state(0)["calls"] == 0
    time.sleep(1.1)
    assert chat(models, tokens=2)
    assert counted("dashify_model_breaker_open", host=host) == 0


def test_hosts_compute_no_more_at_once_than_they_have_slots(pool: Pool, two_hosts: ChatHosts) -> None:
    processes = [pool(*two_hosts.urls) for _ in range(3)]
    positions: list[int] = []
    done: list[int] = []
    threads = [threading.Thread(target=lambda n=n: done.append(len(chat(
        processes[n % 3], tokens=4, ticket=f"ticket {n}", tenant=f"tenant {n % 2}", heard=positions.append))))
        for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 8
    assert [two_hosts.state(index)["most_running"] for index in range(2)] == [1, 1]
    assert min(two_hosts.state(index)["calls"] for index in range(2)) >= 2
    assert set(positions) >= {1, 2, 3}
    assert max(positions) <= 6


def test_what_hosts_do_is_counted_by_their_address_alone(pool: Pool, two_hosts: ChatHosts) -> None:
    host = where(two_hosts.urls[0])
    before = counted("dashify_model_tokens_total", host=host, kind="answer")
    models = pool(f"http://operator:hunter2@{host}")
    chat(models, tokens=3)
    assert counted("dashify_model_tokens_total", host=host, kind="answer") == before + 3
    assert counted("dashify_model_calls_total", host=host, kind="chat", outcome="done") >= 1
    assert counted("dashify_model_first_token_seconds_count", host=host) >= 1
    assert counted("dashify_model_slots_used", host=host) == 0
    assert counted("dashify_model_waiting") == 0
    assert "hunter2" not in repr([*models.fleet.watched, *(one.host for one in models.fleet.watched.values())])


def test_which_models_are_offered_depends_on_what_is_configured(pool: Pool) -> None:
    assert not pool(chat_models="llama3.2").has_chat()
    assert not pool("http://127.0.0.1:9", chat_models="").has_chat()
    both = pool("http://127.0.0.1:9", chat_models="llama3.2, openai:large ,llama3.2")
    assert both.chat_models() == ["llama3.2"]
    assert pool(chat_models="llama3.2,openai:large", openai_url="http://127.0.0.1:9").chat_models() == ["openai:large"]


@pytest.fixture(scope="module")
def embedding_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_models(tmp_path_factory.mktemp("embedding")) as server:
        yield server


def alike(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_vectors_come_in_the_order_of_their_texts_over_all_batches(pool: Pool, embedding_host: Server) -> None:
    models = pool(embedding_url=embedding_host.url)
    texts = [f"{number} {'cat' if number % 2 else 'tax'}" for number in range(130)]
    vectors = models.embed(texts)
    assert len(vectors) == 130
    assert {len(vector) for vector in vectors} == {384}
    for index in (0, 63, 64, 129):
        assert alike(vectors[index], models.embed([texts[index]])[0]) > 0.97
    assert models.embed([]) == []


def test_a_query_that_was_asked_before_costs_no_call(pool: Pool, embedding_host: Server) -> None:
    models = pool(embedding_url=embedding_host.url)
    host = where(embedding_host.url)
    first = models.embed(["where is the handbook"])
    calls = counted("dashify_model_calls_total", host=host, kind="embed", outcome="done")
    first[0][0] = 9.0
    assert models.embed(["where is the handbook"])[0][0] != 9.0
    assert counted("dashify_model_calls_total", host=host, kind="embed", outcome="done") == calls


def test_one_embedding_host_stands_in_for_another(pool: Pool, embedding_host: Server) -> None:
    models = pool(embedding_url=f"http://127.0.0.1:9, {embedding_host.url}")
    for number in range(5):
        assert len(models.embed([f"text {number}", "and another"])) == 2


def test_without_an_embedding_host_it_is_said_and_afterwards_works_again(pool: Pool, tmp_path: Path) -> None:
    with running_models(tmp_path) as server:
        models = pool(embedding_url=server.url)
        assert models.embed(["first"])
        server.kill()
        with pytest.raises(Unavailable) as caught:
            models.embed(["second"])
        assert caught.value.code == "models_unavailable"
        server.start()
        assert len(models.embed(["second"])[0]) == 384


def test_a_model_that_the_embedding_host_lacks_is_unavailable(pool: Pool, embedding_host: Server) -> None:
    with pytest.raises(Unavailable) as caught:
        pool(embedding_url=embedding_host.url, embedding_model="nomic-embed-text").embed(["text"])
    assert caught.value.code == "models_unavailable"
