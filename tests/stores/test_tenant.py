"""What the tenant wall refuses, whoever asks."""

from __future__ import annotations

from typing import Any

import pytest

from dashify.domain.names import new_id
from dashify.errors import NotFound
from dashify.resources import Resources
from dashify.stores.tenant import TenantCollection, WallError

COLLECTION = "wall_tests"


@pytest.fixture
def acme(resources: Resources) -> TenantCollection:
    rows = TenantCollection(resources.database[COLLECTION], new_id())
    rows.insert({"_id": new_id(), "kind": "note", "count": 1})
    return rows


@pytest.fixture
def globex(resources: Resources) -> TenantCollection:
    return TenantCollection(resources.database[COLLECTION], new_id())


@pytest.mark.parametrize("tenant", ["", None, 0, {"$ne": ""}, ["acme"]])
def test_a_collection_without_a_tenant_is_refused(resources: Resources, tenant: Any) -> None:
    with pytest.raises(WallError):
        TenantCollection(resources.database[COLLECTION], tenant)


NAMING = [
    {"tenant_id": "acme"}, {"tenant_id": {"$ne": "x"}}, {"tenant_id.x": 1},
    {"$or": [{"_id": 1}, {"tenant_id": "acme"}]},
    {"$and": [{"$or": [{"tenant_id": "acme"}]}]}, {"$nor": ({"tenant_id": "acme"},)},
    {"rows": {"$elemMatch": {"tenant_id": "acme"}}},
]
CODE = [
    {"$where": "true"}, {"$expr": {"$eq": [1, 1]}}, {"$or": [{"$where": "true"}]}, {"$and": [{"$expr": True}]},
    {"count": {"$function": {"body": "f", "args": [], "lang": "js"}}}, {"count": {"$accumulator": {}}},
]


@pytest.mark.parametrize("where", NAMING + CODE)
@pytest.mark.parametrize("call", [
    lambda rows, where: rows.one(where), lambda rows, where: rows.find(where), lambda rows, where: rows.count(where),
    lambda rows, where: rows.delete(where), lambda rows, where: rows.update(where, {"$set": {"a": 1}}),
    lambda rows, where: rows.change(where, {"$set": {"a": 1}}),
    lambda rows, where: rows.bulk(updates=[(where, {"$set": {"a": 1}})]),
    lambda rows, where: rows.aggregate([{"$match": where}]),
    lambda rows, where: rows.aggregate([{"$facet": {"branch": [{"$match": where}]}}]),
])
def test_a_filter_neither_names_the_tenant_nor_runs_code(acme: TenantCollection, call: Any, where: Any) -> None:
    with pytest.raises(WallError):
        call(acme, where)
    assert acme.count({}) == 1


@pytest.mark.parametrize("change", [
    {"$set": {"tenant_id": "globex"}}, {"$unset": {"tenant_id": ""}}, {"$setOnInsert": {"tenant_id": "globex"}},
    {"$set": {"tenant_id.x": 1}}, {"$rename": {"tenant_id": "was"}}, {"$rename": {"kind": "tenant_id"}},
    {"$currentDate": {"tenant_id": True}}, {"$push": {"tenant_id": 1}}, {"kind": "replaced"}, {"tenant_id": "globex"},
    {"$set": {"a": 1}, "kind": "half a replacement"},
])
@pytest.mark.parametrize("call", [
    lambda rows, change: rows.update({}, change), lambda rows, change: rows.update({}, change, many=True),
    lambda rows, change: rows.update({"_id": "new"}, change, upsert=True), lambda rows, change: rows.change({}, change),
    lambda rows, change: rows.bulk(updates=[({}, change)]),
])
def test_an_update_neither_writes_the_tenant_nor_replaces_the_document(acme: TenantCollection, call: Any,
                                                                       change: Any) -> None:
    before = acme.find({})
    with pytest.raises(WallError):
        call(acme, change)
    assert acme.find({}) == before


@pytest.mark.parametrize("call", [
    lambda rows, row: rows.insert(row), lambda rows, row: rows.insert_many([{"_id": new_id()}, row]),
    lambda rows, row: rows.bulk(inserts=[row]),
])
def test_a_document_does_not_bring_its_own_tenant(acme: TenantCollection, call: Any) -> None:
    with pytest.raises(WallError):
        call(acme, {"_id": new_id(), "tenant_id": "globex"})
    assert acme.count({}) == 1


LEAVING: list[dict[str, Any]] = [
    {"$lookup": {"from": COLLECTION, "pipeline": [], "as": "all"}}, {"$unionWith": COLLECTION},
    {"$graphLookup": {"from": COLLECTION, "startWith": 1, "connectFromField": "a", "connectToField": "b", "as": "c"}},
    {"$out": "stolen"}, {"$merge": {"into": "stolen"}}, {"$collStats": {}}, {"$documents": []}, {"$unknown": 1},
    {"$group": {"_id": {"$function": {"body": "f", "args": [], "lang": "js"}}}},
    {"$group": {"_id": 1, "all": {"$accumulator": {}}}},
]


@pytest.mark.parametrize("stage", LEAVING)
def test_a_pipeline_stays_in_its_tenant_also_inside_a_facet(acme: TenantCollection, resources: Resources,
                                                            stage: dict[str, Any]) -> None:
    for stages in ([stage], [{"$match": {}}, stage], [{"$facet": {"branch": [stage]}}],
                   [{"$facet": {"branch": [{"$facet": {"inner": [stage]}}]}}]):
        with pytest.raises(WallError):
            acme.aggregate(stages)
    assert "stolen" not in resources.database.list_collection_names()


def test_each_tenant_sees_counts_and_changes_only_its_own(acme: TenantCollection, globex: TenantCollection) -> None:
    row = acme.one({})
    assert globex.find({}) == []
    assert globex.find({"$or": [{"_id": row["_id"]}, {"kind": "note"}]}) == []
    assert globex.count({"_id": row["_id"]}) == 0
    assert globex.update({"_id": row["_id"]}, {"$set": {"kind": "taken"}}) == 0
    assert globex.change({"_id": row["_id"]}, {"$set": {"kind": "taken"}}) is None
    assert globex.delete({}) == 0
    globex.bulk(updates=[({"_id": row["_id"]}, {"$set": {"kind": "taken"}})])
    assert globex.aggregate([{"$group": {"_id": None, "count": {"$sum": 1}}}]) == []
    with pytest.raises(NotFound):
        globex.one({"_id": row["_id"]})
    assert acme.one({}) == row


def test_what_is_allowed_works_for_its_own_tenant(acme: TenantCollection) -> None:
    assert acme.update({"kind": "note"}, {"$inc": {"count": 2}}) == 1
    assert acme.aggregate([{"$group": {"_id": "$kind", "sum": {"$sum": "$count"}}}]) == [{"_id": "note", "sum": 3}]
    acme.bulk(inserts=[{"_id": new_id(), "kind": "other"}], updates=[({"kind": "note"}, {"$set": {"count": 9}})])
    assert sorted(row.get("count", 0) for row in acme.find({})) == [0, 9]
    assert acme.delete({"kind": "other"}) == 1
