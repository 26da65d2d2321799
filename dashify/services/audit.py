"""The audit log: reading it, sealing what is new in it, and checking that nobody has changed it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashify.context import Context
from dashify.domain import audit
from dashify.errors import Forbidden, Unavailable
from dashify.services import views
from dashify.stores.store import Store
from dashify.units import Unit

CHECKED_AT_ONCE = 500
Json = dict[str, Any]
Row = Mapping[str, Any]


def list_entries(ctx: Context, cursor: str | None, limit: int, action: str | None, actor_id: str | None) -> Json:
    """List what was done in my organization, newest first; only one action, or what one person did, where it is given.

    Raises:
        Forbidden: I am no admin.
    """
    _require_reader(ctx)
    rows = ctx.store.audit.list_before(cursor, limit + 1, action, actor_id)
    fresh = [row for row in rows if row["names"] is None]
    live = dict(zip((row["_id"] for row in fresh), names_now(ctx.store, fresh), strict=True))
    return views.page("entries", [views.audit_entry(row, row["names"] or live[row["_id"]]) for row in rows], limit)


def check_log(ctx: Context) -> Json:
    """Compute every seal again, in batches, and compare; tell how many entries there are and are sealed.

    `broken_at` is the first entry that is not what was sealed, or follows one that is missing; where the end is missing
    it is the last one left, or None where none is.

    Raises:
        Forbidden: I am no admin.
    """
    _require_reader(ctx)
    end, _ = ctx.store.audit_chain.find_end()
    number, before, last = 0, "", None
    intact, broken_at = True, None
    while intact and (rows := ctx.store.audit.list_sealed(number, CHECKED_AT_ONCE)):
        for row in rows:
            if row["number"] != number + 1 or row["seal"] != audit.seal(row, before):
                intact, broken_at = False, row["_id"]
                break
            number, before, last = row["number"], row["seal"], row["_id"]
    if intact and (number < end or not _reaches(ctx, number, before)):
        intact, broken_at = False, last
    entries, sealed = ctx.store.audit.census()
    return {"entries": entries, "sealed": sealed, "intact": intact, "broken_at": broken_at}


def seal_entries(unit: Unit) -> Json:
    """Seal the oldest entries that are not sealed, at most 500, inside a unit; give how many, and the last number.

    Two that do this at once cannot both commit, since both move the chain's end.

    Raises:
        Unavailable: the end was moved by somebody else.
    """
    start, before = unit.store.audit_chain.find_end()
    rows = unit.store.audit.list_unsealed(audit.SEALED_AT_ONCE)
    done: list[Json] = []
    for number, (row, called) in enumerate(zip(rows, names_now(unit.store, rows), strict=True), start + 1):
        done.append(audit.sealed(row, called, number, before))
        before = done[-1]["seal"]
    if done:
        if not unit.store.audit_chain.move(start, start + len(done), before):
            raise Unavailable("The log is being sealed elsewhere at the same time.", code="contention")
        unit.store.audit.write_seals(done)
        unit.audit.seal_again()
    if len(done) == audit.SEALED_AT_ONCE:
        unit.audit.seal_soon()
    return {"sealed": len(done), "number": start + len(done)}


def names_now(store: Store, rows: Sequence[Row]) -> list[dict[str, str]]:
    """Give what actors and subjects of `rows` are called now, for each row."""
    people = {person for row in rows for person in (row["actor_id"], audit.person_named(row)) if person}
    channels = {row["subject"]["id"] for row in rows if row["subject"]["kind"] == "channel"}
    people_names = store.people.names_of(people) if people else {}
    channel_names = store.channels.public_names_of(channels) if channels else {}
    return [audit.names(row, people_names, channel_names) for row in rows]


def _reaches(ctx: Context, number: int, seal: str) -> bool:
    """Tell whether the chain, found whole up to `number`, has its end there, or goes on since it was last looked at."""
    end = ctx.store.audit_chain.find_end()
    return end == (number, seal) or end[0] > number


def _require_reader(ctx: Context) -> None:
    if not ctx.actor.may("audit.read"):
        raise Forbidden("Only owners and admins can read the audit log.")
