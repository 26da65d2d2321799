"""What is looked for one by one is found by an index, also where the index holds only some documents."""

from __future__ import annotations

from typing import Any

import pytest

from dashify.resources import Resources

ACME = {"tenant_id": "acme"}
LOOKUPS: list[tuple[str, dict[str, Any], str]] = [
    ("messages", {**ACME, "channel_id": "c", "author_id": "a", "client_id": "x"}, "one_message_a_client_id"),
    ("messages", {**ACME, "thread_id": "t"}, "replies"),
    ("jobs", {**ACME, "unique_key": "k"}, "one_job_a_key"),
    ("jobs", {"worker": "w"}, "worker_1"),
]


@pytest.mark.parametrize(("collection", "where", "index"), LOOKUPS)
def test_a_lookup_uses_its_index(resources: Resources, collection: str, where: dict[str, Any],
                                 index: str) -> None:
    plan = resources.database[collection].find(where).explain()["queryPlanner"]["winningPlan"]
    assert f"'indexName': '{index}'" in str(plan)
