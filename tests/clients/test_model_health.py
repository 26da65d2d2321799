"""When a model host is left alone, and when it is tried again."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from prometheus_client import REGISTRY

from dashify.clients.model_health import FIRST_PAUSE, LONGEST_PAUSE, Breaker, Fleet, Watched
from dashify.clients.model_hosts import Failure, HostFailed, Messages, OllamaHost, Part, full_name
from dashify.clients.model_wire import Watch
from dashify.errors import SettingsError
from dashify.settings import from_env
from tests.models.hosts import eventually


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Listed:
    """A host that lists what it is told to, or does not work."""

    def __init__(self, *listed: str) -> None:
        self.name, self.key, self.slots, self.listed, self.asked = "listed:1", "listed:1", 1, listed, 0
        self.works = True

    def models(self) -> frozenset[str]:
        self.asked += 1
        if not self.works:
            raise HostFailed(Failure.AWAY, "status 500")
        return frozenset(self.listed)

    def chat(self, model: str, messages: Messages, max_tokens: int, watch: Watch) -> Generator[Part]:
        yield Part("", True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def is_open(name: str) -> bool:
    return REGISTRY.get_sample_value("dashify_model_breaker_open", {"host": name}) == 1


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        assert breaker.begin()
        breaker.failed()


def test_a_breaker_opens_after_failures_in_a_row_and_not_before(clock: Clock) -> None:
    breaker = Breaker("one:1", clock)
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.ready
    fail(breaker, 1)
    assert not breaker.ready
    assert not breaker.begin()
    assert is_open("one:1")


def test_one_call_tries_a_host_again_and_closes_the_breaker(clock: Clock) -> None:
    breaker = Breaker("two:1", clock)
    fail(breaker, 3)
    clock.seconds += FIRST_PAUSE
    assert breaker.begin()
    assert not breaker.begin()
    breaker.ended()
    assert breaker.begin()
    breaker.succeeded()
    assert breaker.begin()
    assert breaker.begin()
    assert not is_open("two:1")


def test_a_host_that_stays_away_is_left_alone_for_longer_each_time(clock: Clock) -> None:
    breaker, pauses = Breaker("three:1", clock), []
    fail(breaker, 3)
    for _ in range(6):
        began = clock.seconds
        while not breaker.ready:
            clock.seconds += 1
        pauses.append(clock.seconds - began)
        fail(breaker, 1)
    assert pauses == [5, 10, 20, 40, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_busy_host_rests_for_longer_each_time_and_is_still_hoped_for(clock: Clock) -> None:
    watched = Watched(Listed("m:latest"), clock)
    watched.look()
    eventually(lambda: watched.usable("m"), 2)
    rests = []
    for _ in range(6):
        watched.note(Failure.BUSY)
        assert watched.hopeful("m")
        began = clock.seconds
        while not watched.usable("m"):
            clock.seconds += 0.25
        rests.append(clock.seconds - began)
    assert rests == [0.5, 1, 2, 4, 8, 8]
    watched.note(None)
    watched.note(Failure.BUSY, 20.0)
    clock.seconds += 19
    assert not watched.usable("m")


def test_a_host_is_asked_while_somebody_waits_and_not_more_often_than_needed(clock: Clock) -> None:
    host = Listed("m:latest")
    watched = Watched(host, clock)
    for _ in range(20):
        watched.look()
        eventually(lambda: watched.known, 2)
    assert host.asked == 1
    clock.seconds += 6
    watched.look()
    eventually(lambda: host.asked == 2, 2)
    clock.seconds += 31
    assert not watched.usable("m")


def test_a_fleet_knows_which_host_has_which_model() -> None:
    fleet = Fleet([Listed("m:latest", "n:7b")])
    assert fleet.find("m", lambda: False) == ["listed:1"]
    assert fleet.find("n:7b", lambda: False) == ["listed:1"]
    assert fleet.find("n", lambda: False) == []
    assert not fleet.hopeful("n")


def test_a_host_whose_check_fails_gets_no_calls() -> None:
    host = Listed("m:latest")
    host.works = False
    fleet = Fleet([host])
    assert fleet.find("m", lambda: False) == []
    assert not fleet.hopeful("m")


@pytest.mark.parametrize(("name", "full"), [("llama3.2", "llama3.2:latest"), ("llama3.2:1b", "llama3.2:1b"),
                                            ("host:5000/team/model", "host:5000/team/model:latest")])
def test_a_models_tag_is_written_out(name: str, full: str) -> None:
    assert full_name(name) == full


@pytest.mark.parametrize(("url", "name", "key"), [
    ("http://10.0.0.5", "10.0.0.5:80", "10.0.0.5:80"),
    ("https://models.test/a/", "models.test:443", "models.test:443/a"),
    ("http://me:secret@[::1]:11434", "[::1]:11434", "[::1]:11434")])
def test_a_host_is_named_by_its_address_alone(url: str, name: str, key: str) -> None:
    host = OllamaHost(url)
    assert (host.name, host.key) == (name, key)
    assert "secret" not in repr(host)


@pytest.mark.parametrize(("name", "value"), [
    ("MODEL_HOSTS", "10.0.0.5:11434"), ("MODEL_HOSTS", "http://a:1,ftp://b"), ("EMBEDDING_URL", "http://"),
    ("OPENAI_URL", "https://a.test,https://b.test"), ("OPENAI_KEY", "two\nlines"), ("MODEL_HOST_SLOTS", "0"),
    ("MODEL_QUEUE", "-1"), ("MODEL_STALL_SECONDS", "nan")])
def test_wrong_settings_stop_the_process_at_its_start_without_showing_secrets(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_env({"DASHIFY_SECRET_KEY": "x" * 48, f"DASHIFY_{name}": value})
    assert f"DASHIFY_{name}" in caught.value.message
    if name == "OPENAI_KEY":
        assert "lines" not in caught.value.message


def test_a_key_may_come_from_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("keys") / "key"
    file.write_text("sk-from-a-file\n", encoding="utf-8")
    settings = from_env({"DASHIFY_SECRET_KEY": "x" * 48, "DASHIFY_OPENAI_KEY_FILE": str(file)})
    assert settings.openai_key == "sk-from-a-file"
    assert "sk-from" not in repr(settings)
