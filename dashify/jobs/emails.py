"""Mails: each derives its secret link, or what it tells, when it runs, so that no row, queue or log ever holds it.

A mail goes out at least once; a second copy, after a worker died at the wrong moment, has the same Message-ID.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from dashify.clients.mailer import Mail
from dashify.context import Platform
from dashify.domain.accounts import INVITATION_DAYS, RESET_MINUTES, derive_token
from dashify.errors import NotFound
from dashify.jobs.running import Run
from dashify.services.digests import compose_digest
from dashify.settings import split_list


def send_invitation(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Send the link of an invitation, unless it was accepted or withdrawn or has run out meanwhile."""
    store = platform.store_of(run.tenant_id)
    try:
        invitation = store.invitations.get(payload["invitation_id"])
    except NotFound:
        return
    if invitation["accepted_at"] is not None or invitation["expires_at"] <= platform.now:
        return
    inviter = platform.directory.find_account(invitation["invited_by"])
    name = inviter["name"] if inviter else "Somebody"
    organization = inviter["organization"]["name"] if inviter and inviter["organization"] else "an organization"
    run.check()
    platform.resources.mailer.send(Mail(
        to=invitation["email"], subject=f"{name} invites you to {organization} on Dashify",
        paragraphs=(f"{name} invites you to join {organization} on Dashify.",
                    f"To accept, open this link within {INVITATION_DAYS} days:"),
        link=_link(platform, "invite", "invitation", invitation["_id"]), key=run.job_id))


def send_password_reset(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Send the link for a new password, unless it was used or has run out meanwhile."""
    reset = platform.directory.find_open_reset(payload["reset_id"], now=platform.now)
    if reset is None or reset["tenant_id"] != run.tenant_id:
        return
    account = platform.directory.find_account(reset["user_id"])
    if account is None or not account["active"]:
        return
    run.check()
    platform.resources.mailer.send(Mail(
        to=account["email"], subject="Your new password for Dashify",
        paragraphs=("Somebody, probably you, asked for a new password for your Dashify account.",
                    "If it was not you, ignore this mail: your password stays as it is.",
                    f"To choose a new password, open this link within {RESET_MINUTES} minutes:"),
        link=_link(platform, "reset", "reset", reset["_id"]), key=run.job_id))


def send_digest(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Send somebody what they have not read by now, as they may see it now, unless that is nothing or not wanted."""
    try:
        ctx = run.context()
    except NotFound:
        return
    sections = compose_digest(ctx) if ctx.actor.digest else []
    if not sections:
        return
    day = date.fromisoformat(payload["date"])
    run.check()
    platform.resources.mailer.send(Mail(
        to=ctx.actor.email, subject=f"{ctx.actor.organization}: what is new for you on {day:%B} {day.day}",
        paragraphs=(f"Good morning, {ctx.actor.name}. This waits for you in {ctx.actor.organization} on Dashify:",),
        sections=tuple(sections), link=_base(platform) + "/", key=run.job_id,
        footer="This mail comes at 7:00 on days when there is something unread. To turn it off, open Profile settings "
               "in Dashify."))


def send_week(platform: Platform, payload: dict[str, Any], run: Run) -> None:
    """Send an owner or admin what the last week brought, as summed up by the job `payload["job_id"]`."""
    try:
        ctx = run.context()
        summary = platform.store_of(run.tenant_id).jobs.get(payload["job_id"])["result"]
    except NotFound:
        return
    if not ctx.actor.digest or not ctx.actor.may("people.manage"):
        return
    run.check()
    platform.resources.mailer.send(Mail(
        to=ctx.actor.email, subject=f"{ctx.actor.organization}: your week on Dashify",
        paragraphs=(f"Good morning, {ctx.actor.name}. This was week {summary['week']} in {ctx.actor.organization}:",),
        sections=tuple((heading, tuple(lines)) for heading, lines in summary["sections"]), link=_base(platform) + "/",
        key=run.job_id, footer="This mail comes on Mondays to owners and admins. To turn it off, turn off the daily "
                               "digest in Profile settings in Dashify."))


def _link(platform: Platform, page: str, purpose: str, subject_id: str) -> str:
    token = derive_token(platform.settings.secret_key, purpose, subject_id)
    return f"{_base(platform)}/{page}/{token}"


def _base(platform: Platform) -> str:
    return platform.settings.public_url.rstrip("/") or f"http://{split_list(platform.settings.bind)[0]}"
