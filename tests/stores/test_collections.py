from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from qdrant_client import QdrantClient, models

from dashify.errors import Conflict, NotFound
from dashify.local.servers import running_qdrant
from dashify.settings import Settings
from dashify.stores.collections import Collections
from dashify.stores.vectors import Point, Sparse, TenantVectors

SIZES = {"small": 3, "large:v2": 5}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[QdrantClient]:
    with running_qdrant(tmp_path) as server:
        client = QdrantClient(url=server.url, timeout=10, trust_env=False)
        yield client
        client.close()


def collections(client: QdrantClient) -> Collections:
    settings = Settings(secret_key="x" * 40, embedding_model="small")
    return Collections(client, settings, lambda model: SIZES[model])


def test_the_first_look_makes_the_collection_with_an_index_of_all_that_is_asked_for(client: QdrantClient) -> None:
    with ThreadPoolExecutor(6) as pool:  # as many processes that start at once
        found = list(pool.map(lambda _: collections(client).active(), range(6)))
    assert {(one.name, one.model, one.dimensions) for one in found} == {("dashify_small_1", "small", 3)}
    info = client.get_collection("dashify")
    assert {"tenant_id", "key", "kind", "source_id", "readers", "revision", "version"} <= set(info.payload_schema)
    tenant = info.payload_schema["tenant_id"].params
    assert isinstance(tenant, models.KeywordIndexParams)
    assert tenant.is_tenant


def test_a_model_is_changed_by_filling_another_collection_and_one_switch(client: QdrantClient) -> None:
    ours = collections(client)
    assert ours.targets() == [("dashify_small_1", "small")]
    with pytest.raises(NotFound):
        ours.switch()
    with pytest.raises(Conflict):
        ours.begin("small")
    assert ours.begin("large:v2") == ours.begin("large:v2")
    assert collections(client).targets() == [("dashify_small_1", "small"), ("dashify_large_v2_1", "large:v2")]
    assert ours.active().model == "small"
    TenantVectors(client, "dashify_large_v2_1", "acme").upsert([Point("k", [1.0] * 5, Sparse([], []), {})])
    assert ours.counts() == {"dashify_small_1": 0, "dashify_large_v2_1": 1}
    for name in ("dashify_small_1", "dashify_large_v2_1"):
        with pytest.raises(Conflict):
            ours.drop(name)
    ours.switch()
    assert (ours.active().model, ours.active().dimensions) == ("large:v2", 5)
    assert collections(client).targets() == [("dashify_large_v2_1", "large:v2")]
    ours.drop("dashify_small_1")
    assert ours.counts() == {"dashify_large_v2_1": 1}
    assert ours.begin("small").name == "dashify_small_1"
    with pytest.raises(Conflict):
        ours.begin("another")
