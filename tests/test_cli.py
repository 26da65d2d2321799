"""`dashify create-admin`: who becomes a SuperAdmin, what is shown, and how fast everybody knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from dashify.cli import main
from dashify.context import Context, Platform
from dashify.domain.accounts import Role
from dashify.domain.names import new_id
from dashify.errors import Unauthenticated
from dashify.resources import Resources
from dashify.services import accounts, people
from dashify.services.sessions import authenticate, load_actor, start_session
from dashify.settings import Settings
from tests.conftest import HERE, PASSWORD
from tests.system.kit import migrate_for

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs `dashify` with arguments on the test servers."""
    for name, value in settings.to_env().items():
        monkeypatch.setenv(name, value)
    return lambda *arguments, said=None: CliRunner().invoke(main, arguments, input=said)


def is_superadmin(platform: Platform, email: str) -> bool:
    account = platform.directory.find_by_email(email)
    assert account is not None
    actor = load_actor(platform, account["_id"])
    assert actor is not None
    return actor.superadmin


def test_a_new_superadmin_gets_an_organization_and_a_password_that_is_shown_once(run: Run, platform: Platform,
                                                                                 resources: Resources) -> None:
    email = f"root.{new_id()}@platform.test"
    done = run("create-admin", email.upper())
    assert done.exit_code == 0, done.output
    [password] = re.findall(r"Password, shown this once: (\S{20,})", done.output)
    actor = accounts.sign_in(platform, email, password, HERE).actor
    assert (actor.superadmin, actor.role, actor.organization) == (True, Role.OWNER, "Platform")
    again = run("create-admin", email)
    assert (again.exit_code, "Password" in again.output) == (0, False)
    assert accounts.sign_in(platform, email, password, HERE).actor.tenant_id == actor.tenant_id
    for row in resources.database["jobs"].find({"tenant_id": actor.tenant_id}):
        assert password not in str(row)


def test_a_password_can_be_given_by_hand(run: Run, platform: Platform) -> None:
    email = f"root.{new_id()}@platform.test"
    assert run("create-admin", email, "--ask", said="short\nshort\n").exit_code != 0
    assert platform.directory.find_by_email(email) is None
    done = run("create-admin", email, "--ask", said=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output
    assert accounts.sign_in(platform, email, PASSWORD, HERE).actor.superadmin


def test_an_account_that_exists_is_promoted_and_sessions_that_run_know_at_once(run: Run, bob: Context,
                                                                               platform: Platform) -> None:
    cookie = start_session(platform, bob.actor.user_id, HERE).cookie
    assert not authenticate(platform, cookie).actor.superadmin
    for arguments, expected in (((), True), ((), True), (("--revoke",), False), (("--revoke",), False)):
        done = run("create-admin", bob.actor.email, *arguments)
        assert done.exit_code == 0, done.output
        seen = authenticate(platform, cookie).actor
        assert (seen.superadmin, seen.role, seen.tenant_id) == (expected, Role.MEMBER, bob.actor.tenant_id)


def test_who_cannot_be_made_or_unmade_is_said_in_a_sentence(run: Run, alice: Context, bob: Context,
                                                            platform: Platform) -> None:
    people.change_person(alice, bob.actor.user_id, None, False)
    for arguments, words in (((bob.actor.email,), "not active"), (("nobody",), "no email address"),
                             ((f"{new_id()}@nowhere.test", "--revoke"), "No account")):
        done = run("create-admin", *arguments)
        assert done.exit_code == 1
        assert words in done.output
    assert run("create-admin", bob.actor.email, "--revoke").exit_code == 0


def test_nobody_becomes_a_superadmin_by_their_organization(alice: Context, carol: Context, platform: Platform) -> None:
    people.change_person(alice, alice.actor.user_id, Role.OWNER, None)
    accounts.change_profile(carol, name="superadmin")
    for ctx in (alice, carol):
        assert not is_superadmin(platform, ctx.actor.email)


def test_a_restore_ends_with_an_epoch_that_nobody_has_seen(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    apart = replace(settings, mongodb_database=f"epoch_{new_id()}")
    for name, value in apart.to_env().items():
        monkeypatch.setenv(name, value)
    migrate_for(apart)

    def epoch() -> str:
        resources = Resources(apart)
        try:
            return resources.restore_epoch()
        finally:
            resources.close()

    fresh = CliRunner().invoke(main, ["new-epoch"])
    assert (fresh.exit_code, fresh.output) == (0, f"The epoch is {epoch()}; everybody is signed out.\n")
    before = epoch()
    assert CliRunner().invoke(main, ["new-epoch"]).exit_code == 0
    assert before != epoch() == epoch()


def test_after_a_restore_nobody_is_signed_in(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    apart = replace(settings, mongodb_database=f"epoch_{new_id()}")
    for name, value in apart.to_env().items():
        monkeypatch.setenv(name, value)
    migrate_for(apart)
    resources = Resources(apart)
    signed_in = accounts.sign_up(Platform(resources), "Acme", "Alice", "alice@acme.test", PASSWORD, HERE)
    assert authenticate(Platform(resources), signed_in.cookie).actor == signed_in.actor
    resources.close()
    assert CliRunner().invoke(main, ["new-epoch"]).exit_code == 0
    resources = Resources(apart)
    with pytest.raises(Unauthenticated):
        authenticate(Platform(resources), signed_in.cookie)
    resources.close()
