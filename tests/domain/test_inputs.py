"""The types of every input, the names that two places must agree on, and the pauses of jobs."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from dashify.domain import jobs, names
from dashify.domain.inputs import MAX_NUMBER, ClientId, Identifier, Input, MessageText, Number, Text
from dashify.settings import QUEUES


@pytest.mark.parametrize(("kind", "value"), [
    (Text, ""), (Text, "größe 👍"), (MessageText, "x" * 16_000), (ClientId, "c" * 64), (Identifier, "x"),
    (Number, 0), (Number, MAX_NUMBER),
])
def test_what_fits_comes_through_unchanged(kind: Any, value: Any) -> None:
    assert TypeAdapter(kind).validate_python(value) == value


@pytest.mark.parametrize(("kind", "value"), [
    (Text, "\ud800"), (Text, "a\x00b"), (Text, 7), (Text, None), (Text, b"x"), (MessageText, ""), (MessageText, " \n"),
    (MessageText, "x" * 16_001), (ClientId, ""), (ClientId, "c" * 65), (Identifier, "x" * 65),
    (Number, -1), (Number, MAX_NUMBER + 1), (Number, 2**70), (Number, 1.0), (Number, "1"), (Number, True),
    (Number, float("nan")),
])
def test_what_a_database_or_a_browser_could_not_hold_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_an_input_takes_nothing_unknown_and_does_not_repeat_secrets_in_its_error() -> None:
    class Secret(Input):
        password: MessageText

    with pytest.raises(ValidationError):
        Secret.model_validate({"password": "x", "role": "owner"})
    with pytest.raises(ValidationError) as refusal:
        Secret.model_validate({"password": "hunter2\ud800"})
    assert "hunter2" not in str(refusal.value)


def test_identifiers_are_unlike_each_other_and_later_ones_sort_later() -> None:
    made = [names.new_id() for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert all(map(names.is_id, made))
    assert [one[:12] for one in made] == sorted(one[:12] for one in made)


@pytest.mark.parametrize("value", ["", "x", "A" * 24, "0" * 23, "0" * 25, "0" * 24 + "\n", "../" + "0" * 21])
def test_anything_else_is_no_identifier(value: str) -> None:
    assert not names.is_id(value)


def test_every_room_begins_with_its_tenant() -> None:
    rooms = [names.tenant_room("t"), names.browsers_room("t"), names.channel_room("t", "x"), names.user_room("t", "x")]
    assert all(room.startswith("t:") for room in rooms)
    assert len(set(rooms)) == 4


def test_cookies_are_bound_to_the_host_behind_tls() -> None:
    assert (names.session_cookie(False), names.csrf_cookie(False)) == ("dashify_session", "dashify_csrf")
    assert (names.session_cookie(True), names.csrf_cookie(True)) == ("__Host-dashify_session", "__Host-dashify_csrf")


def test_a_failed_job_waits_longer_each_time_and_a_quarter_of_an_hour_at_most() -> None:
    for failures, middle in ((1, 2.0), (2, 4.0), (9, 512.0), (10, 900.0), (200, 900.0)):
        assert all(middle * 0.5 <= jobs.pause(failures, QUEUES["emails"]) <= middle * 1.5 for _ in range(50))
