"""Search in everything I may read."""

from __future__ import annotations

from typing import Any

from dashify.blueprints.guards import guarded, rates, signed_in
from dashify.blueprints.knowledge_answers import SearchAnswer
from dashify.blueprints.knowledge_schemas import SearchPage
from dashify.blueprints.routes import endpoint
from dashify.context import Context
from dashify.services import search

blueprint = guarded("search", signed_in)


@endpoint(blueprint, "GET", "/search", answers={200: SearchAnswer}, errors=(429,))
def find(ctx: Context, query: SearchPage) -> dict[str, Any]:
    """Search in documents and messages together, best first; 100 results at most."""
    rates().take("searches", ctx.actor.user_id, ctx.settings.limits.searches_per_second)
    return search.search(ctx, query.q, query.cursor, query.limit, query.kind)
