"""Roles, what each may do, and the tokens that stand for a link."""

from __future__ import annotations

import itertools

import pytest

from dashify.domain.accounts import (
    PERMISSIONS,
    Actor,
    Role,
    derive_token,
    may_give,
    new_token,
    token_hash,
)

ALLOWED = {
    "channel.read": "owner admin member guest", "channel.post": "owner admin member guest",
    "profile.edit": "owner admin member guest", "report.channel": "owner admin member guest",
    "channel.browse": "owner admin member", "channel.create": "owner admin member", "people.list": "owner admin member",
    "people.invite": "owner admin", "people.manage": "owner admin", "channel.manage": "owner admin",
    "message.moderate": "owner admin", "queue.view": "owner admin", "queue.manage": "owner admin",
    "audit.read": "owner admin", "report.members": "owner admin", "report.audit": "owner admin",
    "document.write": "owner admin member", "document.manage": "owner admin",
    "assistant.manage": "owner admin",
    "organization.manage": "owner",
}


def actor(role: Role, *, private: tuple[str, ...] = (), joined: tuple[str, ...] = ()) -> Actor:
    return Actor("u", "t", role, "Ann", "ann@acme.test", "Acme", "1:1", frozenset(private), frozenset(joined))


def test_the_table_of_permissions_is_this_one() -> None:
    assert {permission for allowed in PERMISSIONS.values() for permission in allowed} == set(ALLOWED)


@pytest.mark.parametrize(("permission", "role"), list(itertools.product(ALLOWED, Role)))
def test_a_role_may_what_the_table_says_and_nothing_else(permission: str, role: Role) -> None:
    assert actor(role).may(permission) is (role.value in ALLOWED[permission].split())


def test_a_higher_role_may_all_that_a_lower_one_may() -> None:
    for higher, lower in itertools.pairwise(Role):
        assert PERMISSIONS[higher] > PERMISSIONS[lower]
        assert higher.rank > lower.rank


def test_nobody_gives_a_role_above_their_own() -> None:
    for giver, given in itertools.product(Role, Role):
        assert may_give(giver, given) is (given.rank <= giver.rank)


def test_a_private_channel_is_seen_by_its_members_only_whatever_their_role() -> None:
    for role in Role:
        assert actor(role, private=("p",)).sees("p", private=True)
        assert not actor(role, joined=("p",)).sees("p", private=True)


def test_guests_see_only_the_public_channels_they_joined() -> None:
    assert actor(Role.MEMBER).sees("c", private=False)
    assert not actor(Role.GUEST).sees("c", private=False)
    assert actor(Role.GUEST, joined=("c",)).sees("c", private=False)


def test_tokens_are_long_and_kept_as_hashes_only() -> None:
    token = new_token()
    assert len(token) >= 43
    assert token != new_token()
    assert len(token_hash(token)) == 64
    assert token not in token_hash(token)
    assert token_hash("\ud800") != token_hash("\ud801")


def test_the_token_of_a_link_is_bound_to_key_purpose_and_subject() -> None:
    token = derive_token("key", "invitation", "1")
    assert token == derive_token("key", "invitation", "1")
    assert len({token, derive_token("other", "invitation", "1"), derive_token("key", "reset", "1"),
                derive_token("key", "invitation", "2")}) == 4
