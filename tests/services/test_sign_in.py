from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from dashify.context import Context, Platform
from dashify.domain.accounts import Client
from dashify.domain.names import new_id
from dashify.errors import DashifyError, RateLimited, Unauthenticated
from dashify.resources import Resources
from dashify.services import accounts
from dashify.settings import Settings
from tests.conftest import PASSWORD


@pytest.fixture
def strict(settings: Settings) -> Iterator[Platform]:
    """A process with the limits that people get by default."""
    limits = replace(settings.limits, sign_in_per_minute=5, sign_in_address_per_minute=50)
    resources = Resources(replace(settings, limits=limits))
    yield Platform(resources)
    resources.close()


def somewhere() -> Client:
    return Client("Firefox", f"address {new_id()}")


def outcome(platform: Platform, email: str, password: str, client: Client) -> str:
    try:
        accounts.sign_in(platform, email, password, client)
    except DashifyError as error:
        return type(error).__name__
    return "in"


def test_many_right_sign_ins_at_once_are_all_let_in(strict: Platform, alice: Context) -> None:
    client = somewhere()
    with ThreadPoolExecutor(12) as pool:
        outcomes = Counter(pool.map(lambda _: outcome(strict, alice.actor.email, PASSWORD, client), range(24)))
    assert outcomes == {"in": 24}


def test_guesses_at_once_are_no_more_than_guesses_one_by_one(strict: Platform, alice: Context) -> None:
    client = somewhere()
    with ThreadPoolExecutor(12) as pool:
        outcomes = Counter(pool.map(lambda _: outcome(strict, alice.actor.email, "a wrong guess", client), range(24)))
    assert outcomes == {"Unauthenticated": 5, "RateLimited": 19}
    with pytest.raises(RateLimited) as refusal:
        accounts.sign_in(strict, alice.actor.email, PASSWORD, client)
    assert 1 <= refusal.value.retry_after <= 61
    assert outcome(strict, alice.actor.email, PASSWORD, somewhere()) == "in"


def test_an_address_that_guesses_many_accounts_is_stopped(strict: Platform) -> None:
    client = somewhere()
    outcomes = Counter(outcome(strict, f"{new_id()}@nobody.test", "a wrong guess", client) for _ in range(52))
    assert outcomes == {"Unauthenticated": 50, "RateLimited": 2}


def test_an_unknown_email_and_a_wrong_password_sound_the_same(strict: Platform, alice: Context) -> None:
    messages = set()
    for email in (alice.actor.email, f"{new_id()}@nobody.test"):
        with pytest.raises(Unauthenticated) as refusal:
            accounts.sign_in(strict, email, "a wrong guess", somewhere())
        messages.add((refusal.value.code, refusal.value.message))
    assert len(messages) == 1
