"""The embedded vector store, through Qdrant's own client, as the application uses it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from dashify.local.servers import Server, running_qdrant

ACME = models.Filter(must=[models.FieldCondition(key="tenant_id", match=models.MatchValue(value="acme"))])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_qdrant(tmp_path_factory.mktemp("qdrant")) as running:
        yield running


@contextmanager
def connected(url: str) -> Iterator[QdrantClient]:
    # Its check of versions runs in a thread of its own, which a restarted server would disturb.
    client = QdrantClient(url=url, timeout=10, check_compatibility=False)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def client(server: Server) -> Iterator[QdrantClient]:
    with connected(server.url) as client:
        create_passages(client)
        fill(client)
        yield client
        client.delete_collection("passages")


def create_passages(client: QdrantClient) -> None:
    client.create_collection(
        "passages",
        vectors_config={"dense": models.VectorParams(size=4, distance=models.Distance.COSINE)},
        sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        hnsw_config=models.HnswConfigDiff(payload_m=16, m=0),
    )
    client.create_payload_index(
        "passages", "tenant_id", models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    )


def point(number: int, tenant: str, dense: list[float], words: list[int], version: int = 1) -> models.PointStruct:
    sparse = models.SparseVector(indices=words, values=[1.0] * len(words))
    return models.PointStruct(
        id=number, vector={"dense": dense, "words": sparse}, payload={"tenant_id": tenant, "version": version},
    )


def fill(client: QdrantClient) -> None:
    client.upsert("passages", [
        point(1, "acme", [1, 0, 0, 0], [1, 2]), point(2, "acme", [0, 1, 0, 0], [3]),
        point(3, "acme", [0, 0, 1, 0], [2, 3]), point(4, "globex", [1, 0, 0, 0], [1, 2]),
    ], wait=True)


def test_a_hybrid_query_finds_only_what_the_filter_allows(client: QdrantClient) -> None:
    found = client.query_points(
        "passages",
        prefetch=[
            models.Prefetch(query=[1.0, 0.1, 0, 0], using="dense", filter=ACME, limit=10),
            models.Prefetch(
                query=models.SparseVector(indices=[1, 2], values=[1, 1]), using="words", filter=ACME, limit=10,
                params=models.SearchParams(idf=models.IdfCorpusParams(corpus=ACME)),
            ),
        ],
        query=models.FusionQuery(fusion=models.Fusion.RRF), query_filter=ACME, limit=10, with_payload=True,
    ).points
    assert found[0].id == 1
    assert {hit.id for hit in found} == {1, 2, 3}
    assert found[0].score > found[1].score
    assert found[0].payload == {"tenant_id": "acme", "version": 1}


def test_dense_and_sparse_queries_rank_by_likeness(client: QdrantClient) -> None:
    dense = client.query_points("passages", query=[0, 1.0, 0.2, 0], using="dense", query_filter=ACME, limit=2).points
    assert [hit.id for hit in dense] == [2, 3]
    sparse = client.query_points(
        "passages", query=models.SparseVector(indices=[3], values=[1.0]), using="words", query_filter=ACME,
    ).points
    assert {hit.id for hit in sparse} == {2, 3}


def test_points_are_counted_scrolled_retrieved_and_deleted(client: QdrantClient) -> None:
    assert client.count("passages", count_filter=ACME).count == 3
    first, following = client.scroll("passages", scroll_filter=ACME, limit=2)
    rest, end = client.scroll("passages", scroll_filter=ACME, limit=2, offset=following)
    assert ([row.id for row in first + rest], end) == ([1, 2, 3], None)
    row = client.retrieve("passages", [2], with_vectors=True)[0]
    assert isinstance(row.vector, dict)
    assert row.vector["dense"] == [0, 1, 0, 0]
    client.delete("passages", [1])
    client.delete("passages", models.FilterSelector(filter=ACME))
    assert [row.id for row in client.scroll("passages")[0]] == [4]


def test_a_newer_version_is_not_overwritten_by_an_older_one(client: QdrantClient) -> None:
    older = models.Filter(must=[models.FieldCondition(key="version", range=models.Range(lt=3))])
    client.upsert("passages", [point(1, "acme", [0, 0, 0, 1], [9], version=3)], update_filter=older)
    client.upsert("passages", [point(1, "acme", [1, 0, 0, 0], [1], version=2)], update_filter=models.Filter(
        must=[models.FieldCondition(key="version", range=models.Range(lt=2))],
    ))
    assert client.retrieve("passages", [1])[0].payload == {"tenant_id": "acme", "version": 3}


def test_payload_can_be_set_replaced_and_removed(client: QdrantClient) -> None:
    client.set_payload("passages", {"group": "all"}, points=ACME)
    assert client.retrieve("passages", [2])[0].payload == {"tenant_id": "acme", "version": 1, "group": "all"}
    client.delete_payload("passages", ["version"], points=[2])
    client.overwrite_payload("passages", {"tenant_id": "globex"}, points=[3])
    rows = client.retrieve("passages", [2, 3])
    assert [row.payload for row in rows] == [{"tenant_id": "acme", "group": "all"}, {"tenant_id": "globex"}]


def test_an_index_that_was_asked_for_is_shown(client: QdrantClient) -> None:
    schema = client.get_collection("passages").payload_schema
    assert schema["tenant_id"].data_type == models.PayloadSchemaType.KEYWORD
    client.delete_payload_index("passages", "tenant_id")
    assert client.get_collection("passages").payload_schema == {}


def test_an_alias_is_switched_in_one_step(client: QdrantClient) -> None:
    client.create_collection("newer", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    create = models.CreateAliasOperation(
        create_alias=models.CreateAlias(collection_name="passages", alias_name="current"))
    client.update_collection_aliases([create])
    assert client.count("current").count == 4
    client.update_collection_aliases([
        models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name="current")),
        models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name="newer", alias_name="current")),
    ])
    assert [(a.alias_name, a.collection_name) for a in client.get_aliases().aliases] == [("current", "newer")]
    assert client.count("current").count == 0
    client.delete_collection("newer")
    assert client.get_aliases().aliases == []


def test_collections_are_listed_and_known(client: QdrantClient) -> None:
    assert [collection.name for collection in client.get_collections().collections] == ["passages"]
    assert client.collection_exists("passages")
    assert not client.collection_exists("elsewhere")


def test_several_queries_are_answered_in_their_order(client: QdrantClient) -> None:
    answers = client.query_batch_points("passages", [
        models.QueryRequest(query=[0, 1.0, 0, 0], using="dense", limit=1),
        models.QueryRequest(query=[0, 0, 1.0, 0], using="dense", limit=1),
    ])
    assert [answer.points[0].id for answer in answers] == [2, 3]


def test_writers_and_readers_in_many_threads_do_not_disturb_each_other(client: QdrantClient, server: Server) -> None:
    def work(worker: int) -> int:
        with connected(server.url) as own:
            for number in range(10):
                own.upsert("passages", [point(100 + worker * 10 + number, "acme", [1, 1, 0, 0], [worker])])
                own.query_points("passages", query=[1.0, 1, 0, 0], using="dense", query_filter=ACME)
        return worker

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert client.count("passages").count == 84


def test_vectors_aliases_and_indexes_survive_a_stop_and_a_kill(tmp_path: Path) -> None:
    with running_qdrant(tmp_path) as own:
        with connected(own.url) as client:
            create_passages(client)
            fill(client)
            client.update_collection_aliases([models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name="passages", alias_name="current"))])
        own.restart()
        own.kill()
        own.start()
        with connected(own.url) as client:
            hits = client.query_points("current", query=[0, 0, 1.0, 0], using="dense", limit=1).points
            assert hits[0].id == 3
            assert "tenant_id" in client.get_collection("current").payload_schema


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    ("GET", "/collections/nowhere", None, 404),
    ("POST", "/collections/nowhere/points/query", {"query": [1, 0, 0, 0]}, 404),
    ("POST", "/collections/passages/points/query", {"query": [1, 0], "using": "dense"}, 400),
    ("POST", "/collections/passages/points/query", {"query": [1, 0, 0, 0], "using": "nothing"}, 400),
    ("POST", "/collections/passages/points/query", {"inquiry": 1}, 400),
    ("PUT", "/collections/passages/points", {"points": [{"id": 1, "vector": {"dense": [1]}}]}, 400),
    ("PUT", "/collections/passages", {"vectors": {}}, 409),
    ("POST", "/collections/passages/points/payload", {"payload": {}}, 400),
    ("POST", "/collections/passages/snapshots", {}, 404),
    ("GET", "/nothing/at/all", None, 404),
])
def test_what_cannot_be_done_is_refused_in_qdrants_shape(
    client: QdrantClient, server: Server, method: str, path: str, body: object, status: int,
) -> None:
    answer = requests.request(method, server.url + path, json=body, timeout=10)
    assert answer.status_code == status, answer.text
    assert answer.json()["status"]["error"]
    assert client.count("passages").count == 4


def test_the_client_sees_a_missing_collection_as_404(client: QdrantClient) -> None:
    with pytest.raises(UnexpectedResponse) as caught:
        client.count("nowhere")
    assert caught.value.status_code == 404


def test_health_and_version_are_answered(server: Server) -> None:
    for path in ("/healthz", "/readyz", "/livez", "/"):
        assert requests.get(server.url + path, timeout=5).status_code == 200
    assert requests.get(server.url + "/", timeout=5).json()["version"].count(".") == 2


@pytest.mark.parametrize("query", [
    {"recommend": {"positive": [1]}}, {"order_by": "version"}, {"sample": "random"}, {"fusion": "dbsf"},
])
def test_a_search_that_is_not_served_is_refused_and_not_answered_otherwise(
    client: QdrantClient, server: Server, query: object,
) -> None:
    answer = requests.post(f"{server.url}/collections/passages/points/query", json={"query": query}, timeout=10)
    assert answer.status_code == 400
    assert "not served" in answer.json()["status"]["error"]


@pytest.mark.parametrize("condition", [
    {"key": "version", "values_count": {"gt": 1}}, {"key": "version", "match": {"text": "1"}},
    {"nested": {"key": "a", "filter": {}}}, {"key": "version"},
])
def test_a_condition_that_is_not_served_is_refused_and_not_left_out(
    client: QdrantClient, server: Server, condition: object,
) -> None:
    answer = requests.post(f"{server.url}/collections/passages/points/delete", timeout=10,
                           json={"filter": {"must": [condition]}})
    assert answer.status_code == 400, answer.text
    assert client.count("passages").count == 4


@pytest.mark.parametrize("name", ["..", "%2E%2E%2Foutside", "a b", "x" * 300])
def test_a_collection_never_leaves_the_folder(client: QdrantClient, server: Server, name: str) -> None:
    body = {"vectors": {"size": 2, "distance": "Dot"}}
    assert requests.put(f"{server.url}/collections/{name}", json=body, timeout=10).status_code in (400, 404)
    assert [collection.name for collection in client.get_collections().collections] == ["passages"]


def test_the_rarity_of_words_is_measured_over_the_corpus_that_is_named(client: QdrantClient) -> None:
    def score(corpus: models.Filter | None) -> float:
        params = models.SearchParams(idf=models.IdfCorpusParams(corpus=corpus)) if corpus else None
        query = models.SparseVector(indices=[1], values=[1.0])
        return client.query_points("passages", query=query, using="words", query_filter=ACME, limit=1,
                                   search_params=params).points[0].score

    own, all_of_them = score(ACME), score(None)
    client.upsert("passages", [point(number, "globex", [1, 0, 0, 0], [1]) for number in range(10, 30)], wait=True)
    assert score(ACME) == own
    assert score(None) < all_of_them


def test_what_was_acknowledged_before_a_kill_is_there_and_what_was_deleted_is_not(tmp_path: Path) -> None:
    with running_qdrant(tmp_path) as own, connected(own.url) as client:
        create_passages(client)
        fill(client)
        client.create_collection("gone", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
        client.delete_collection("gone")
        client.delete("passages", [2])
        client.upsert("passages", [point(1, "acme", [0, 0, 0, 1], [7], version=2)])
        own.kill()
        own.start()
        rows = client.scroll("passages", with_vectors=True)[0]
        assert [(row.id, (row.payload or {})["version"]) for row in rows] == [(1, 2), (3, 1), (4, 1)]
        assert isinstance(rows[0].vector, dict)
        assert rows[0].vector["dense"] == [0, 0, 0, 1]
        assert [collection.name for collection in client.get_collections().collections] == ["passages"]
