from __future__ import annotations

from collections.abc import Iterator

import pytest
from qdrant_client import QdrantClient, models

from dashify.errors import Unavailable
from dashify.local.probes import free_port
from dashify.local.servers import running_qdrant
from dashify.stores.tenant import WallError
from dashify.stores.vectors import Point, TenantVectors

COLLECTION = "passages"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QdrantClient]:
    with running_qdrant(tmp_path_factory.mktemp("qdrant")) as server:
        client = QdrantClient(url=server.url, timeout=10, trust_env=False)
        client.create_collection(COLLECTION, models.VectorParams(size=3, distance=models.Distance.COSINE))
        yield client
        client.close()


@pytest.fixture
def acme(client: QdrantClient) -> TenantVectors:
    vectors = TenantVectors(client, COLLECTION, "acme")
    vectors.delete({})
    vectors.upsert([Point("one", [1.0, 0.0, 0.0], {"document_id": "d1", "version": 1}),
                    Point("two", [0.0, 1.0, 0.0], {"document_id": "d2", "version": 1})])
    return vectors


@pytest.fixture
def globex(client: QdrantClient) -> TenantVectors:
    vectors = TenantVectors(client, COLLECTION, "globex")
    vectors.delete({})
    return vectors


def test_a_search_gives_the_nearest_of_ones_own_first(acme: TenantVectors, globex: TenantVectors) -> None:
    globex.upsert([Point("theirs", [1.0, 0.0, 0.0], {"document_id": "d9"})])
    hits = acme.search([0.9, 0.1, 0.0], limit=10)
    assert [hit.key for hit in hits] == ["one", "two"]
    assert hits[0].score > hits[1].score
    assert hits[0].payload == {"document_id": "d1", "version": 1}
    assert [hit.key for hit in globex.search([0.0, 1.0, 0.0], limit=10)] == ["theirs"]


def test_filters_narrow_and_never_widen(acme: TenantVectors) -> None:
    assert [hit.key for hit in acme.search([1.0, 0.0, 0.0], limit=10, where={"document_id": "d2"})] == ["two"]
    assert acme.count({"document_id": ["d1", "d2", "d9"]}) == 2
    assert acme.count({"version": 2}) == 0


def test_the_same_key_in_another_tenant_overwrites_nothing(acme: TenantVectors, globex: TenantVectors) -> None:
    globex.upsert([Point("one", [0.0, 0.0, 1.0], {"document_id": "d9"})])
    assert acme.search([1.0, 0.0, 0.0], limit=1)[0].payload["document_id"] == "d1"
    globex.delete({})
    assert acme.count() == 2
    assert globex.count() == 0


def test_deleting_by_a_filter_leaves_the_rest(acme: TenantVectors, globex: TenantVectors) -> None:
    globex.upsert([Point("theirs", [1.0, 0.0, 0.0], {"document_id": "d1"})])
    acme.delete({"document_id": "d1"})
    assert acme.count() == 1
    assert globex.count() == 1


def test_scrolling_goes_through_ones_own_a_page_at_a_time(acme: TenantVectors, globex: TenantVectors) -> None:
    globex.upsert([Point("theirs", [1.0, 0.0, 0.0], {})])
    first, after = acme.scroll(limit=1)
    second, end = acme.scroll(limit=1, after=after)
    assert {hit.key for hit in first + second} == {"one", "two"}
    assert end is None


def test_naming_the_tenant_is_refused(acme: TenantVectors) -> None:
    with pytest.raises(WallError):
        acme.count({"tenant_id": "globex"})
    with pytest.raises(WallError):
        acme.search([1.0, 0.0, 0.0], limit=1, where={"nested[].tenant_id": "globex"})
    with pytest.raises(WallError):
        acme.upsert([Point("x", [1.0, 0.0, 0.0], {"tenant_id": "globex"})])


def test_vectors_without_a_tenant_are_refused(client: QdrantClient) -> None:
    with pytest.raises(WallError):
        TenantVectors(client, COLLECTION, "")


def test_a_store_that_is_away_is_unavailable() -> None:
    away = QdrantClient(url=f"http://127.0.0.1:{free_port()}", timeout=2, trust_env=False, check_compatibility=False)
    with pytest.raises(Unavailable):
        TenantVectors(away, COLLECTION, "acme").count()
