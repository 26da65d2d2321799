"""The people of my organization."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.answers import PeopleAnswer, PersonAnswer
from dashify.blueprints.guards import guarded, signed_in
from dashify.blueprints.routes import endpoint
from dashify.blueprints.schemas import PersonChange, WidePage
from dashify.context import Context
from dashify.domain.accounts import Role
from dashify.services import people

blueprint = guarded("users", signed_in)


@endpoint(blueprint, "GET", "/users", answers={200: PeopleAnswer})
def list_people(ctx: Context, query: WidePage) -> dict[str, Any]:
    """List the people of my organization; guests see only themselves."""
    return people.list_people(ctx, query.cursor, query.limit)


@endpoint(blueprint, "PATCH", "/users/<user_id>", answers={200: PersonAnswer}, errors=(403, 404, 422))
def change_person(ctx: Context, user_id: str, body: PersonChange) -> dict[str, Any]:
    """Change somebody's role, or take away or give back their access."""
    return {"user": people.change_person(ctx, user_id, Role(body.role) if body.role else None, body.active)}
