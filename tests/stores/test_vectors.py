from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from qdrant_client import QdrantClient, models

from dashify.errors import Unavailable
from dashify.local.probes import free_port
from dashify.local.servers import Server
from dashify.stores.tenant import WallError
from dashify.stores.vectors import DENSE, SPARSE, Below, Point, Sparse, TenantVectors

COLLECTION = "dashify-tests-passages"
NOTHING = Sparse([], [])


@pytest.fixture(scope="module")
def client(qdrant_server: Server) -> Iterator[QdrantClient]:
    client = QdrantClient(url=qdrant_server.url, timeout=10, trust_env=False)
    client.delete_collection(COLLECTION)  # of an earlier run, where the server is not ours
    client.create_collection(
        COLLECTION, {DENSE: models.VectorParams(size=3, distance=models.Distance.COSINE)},
        {SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)})
    yield client
    client.close()


def point(key: str, dense: list[float], payload: dict[str, Any] | None = None, words: Sparse = NOTHING) -> Point:
    return Point(key, dense, words, payload or {})


@pytest.fixture
def acme(client: QdrantClient) -> TenantVectors:
    vectors = TenantVectors(client, COLLECTION, "acme")
    vectors.delete({})
    vectors.upsert([point("one", [1.0, 0.0, 0.0], {"source_id": "d1", "revision": 1}, Sparse([1, 2], [1.0, 1.0])),
                    point("two", [0.0, 1.0, 0.0], {"source_id": "d2", "revision": 1}, Sparse([2, 3], [1.0, 1.0]))])
    return vectors


@pytest.fixture
def globex(client: QdrantClient) -> TenantVectors:
    vectors = TenantVectors(client, COLLECTION, "globex")
    vectors.delete({})
    return vectors


def test_a_search_gives_the_nearest_of_ones_own_first(acme: TenantVectors, globex: TenantVectors) -> None:
    globex.upsert([point("theirs", [1.0, 0.0, 0.0], {"source_id": "d9"}, Sparse([1, 3], [9.0, 9.0]))])
    hits = acme.dense([0.9, 0.1, 0.0], limit=10)
    assert [hit.key for hit in hits] == ["one", "two"]
    assert hits[0].score > hits[1].score
    assert hits[0].payload == {"source_id": "d1", "revision": 1}
    assert [hit.key for hit in acme.sparse(Sparse([3], [1.0]), limit=10)] == ["two"]
    assert {hit.key for hit in acme.hybrid([0.9, 0.1, 0.0], Sparse([3], [1.0]), limit=10)} == {"one", "two"}
    assert [hit.key for hit in globex.hybrid([0.0, 1.0, 0.0], Sparse([1], [1.0]), limit=10)] == ["theirs"]


def test_what_is_near_and_shares_words_comes_before_what_is_only_near(acme: TenantVectors) -> None:
    acme.upsert([point("near", [1.0, 0.01, 0.0]), point("both", [1.0, 0.02, 0.0], words=Sparse([7], [1.0]))])
    assert acme.hybrid([1.0, 0.0, 0.0], Sparse([7], [1.0]), limit=4)[0].key == "both"


def test_a_question_without_words_is_answered_by_meaning(acme: TenantVectors) -> None:
    assert acme.hybrid([1.0, 0.0, 0.0], NOTHING, limit=1)[0].key == "one"


def test_the_words_of_others_change_no_score_of_mine(acme: TenantVectors, globex: TenantVectors) -> None:
    before = acme.sparse(Sparse([1, 2], [1.0, 1.0]), limit=5)
    globex.upsert([point(f"p{n}", [1.0, 0.0, 0.0], words=Sparse([1], [1.0])) for n in range(50)])
    assert acme.sparse(Sparse([1, 2], [1.0, 1.0]), limit=5) == before


def test_an_older_revision_never_overwrites_a_newer_one(acme: TenantVectors) -> None:
    acme.upsert([point("one", [0.0, 0.0, 1.0], {"source_id": "d1", "revision": 5})], revision=5)
    acme.upsert([point("one", [1.0, 0.0, 0.0], {"source_id": "d1", "revision": 4}),
                 point("new", [1.0, 0.0, 0.0], {"source_id": "d1", "revision": 4})], revision=4)
    assert {hit.key: hit.payload["revision"] for hit in acme.scroll(limit=9, where={"source_id": "d1"})[0]} == {
        "one": 5, "new": 4}
    acme.delete({"source_id": "d1", "revision": Below(5)})
    assert [hit.key for hit in acme.scroll(limit=9, where={"source_id": "d1"})[0]] == ["one"]


def test_filters_narrow_and_never_widen(acme: TenantVectors) -> None:
    for hits in (acme.dense([1.0, 0.0, 0.0], limit=9, where={"source_id": "d2"}),
                 acme.sparse(Sparse([1, 2], [1.0, 1.0]), limit=9, where={"source_id": "d2"}),
                 acme.hybrid([1.0, 0.0, 0.0], Sparse([1, 2], [1.0, 1.0]), limit=9, where={"source_id": "d2"})):
        assert [hit.key for hit in hits] == ["two"]
    assert acme.count({"source_id": ["d1", "d2", "d9"]}) == 2
    assert acme.count({"revision": 2}) == 0


def test_vectors_come_only_where_they_are_asked_for(acme: TenantVectors) -> None:
    [hit] = acme.scroll(limit=9, where={"source_id": "d1"}, with_vectors=True)[0]
    assert hit.dense == pytest.approx([1.0, 0.0, 0.0])
    assert acme.scroll(limit=9, where={"source_id": "d1"})[0][0].dense is None


def test_the_same_key_in_another_tenant_overwrites_nothing(acme: TenantVectors, globex: TenantVectors) -> None:
    globex.upsert([point("one", [0.0, 0.0, 1.0], {"source_id": "d9"})])
    assert acme.dense([1.0, 0.0, 0.0], limit=1)[0].payload["source_id"] == "d1"
    globex.delete({})
    assert acme.count() == 2
    assert globex.count() == 0


def test_deleting_by_a_filter_leaves_the_rest(acme: TenantVectors, globex: TenantVectors) -> None:
    globex.upsert([point("theirs", [1.0, 0.0, 0.0], {"source_id": "d1"})])
    acme.delete({"source_id": "d1"})
    assert acme.count() == 1
    assert globex.count() == 1


def test_scrolling_goes_through_ones_own_a_page_at_a_time(acme: TenantVectors, globex: TenantVectors) -> None:
    globex.upsert([point("theirs", [1.0, 0.0, 0.0])])
    first, after = acme.scroll(limit=1)
    second, end = acme.scroll(limit=1, after=after)
    assert {hit.key for hit in first + second} == {"one", "two"}
    assert end is None


def test_naming_the_tenant_is_refused(acme: TenantVectors) -> None:
    with pytest.raises(WallError):
        acme.count({"tenant_id": "globex"})
    with pytest.raises(WallError):
        acme.hybrid([1.0, 0.0, 0.0], NOTHING, limit=1, where={"nested[].tenant_id": "globex"})
    with pytest.raises(WallError):
        acme.upsert([point("x", [1.0, 0.0, 0.0], {"tenant_id": "globex"})])


def test_vectors_without_a_tenant_are_refused(client: QdrantClient) -> None:
    with pytest.raises(WallError):
        TenantVectors(client, COLLECTION, "")


def test_a_store_that_is_away_is_unavailable() -> None:
    away = QdrantClient(url=f"http://127.0.0.1:{free_port()}", timeout=2, trust_env=False, check_compatibility=False)
    with pytest.raises(Unavailable):
        TenantVectors(away, COLLECTION, "acme").count()
