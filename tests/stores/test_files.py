from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashify.context import Context
from dashify.domain.names import new_id
from dashify.errors import NotFound
from dashify.resources import Resources
from dashify.stores.files import HALF_MADE_HOURS, ExpiredFiles, TenantFiles, safe_name
from dashify.stores.tenant import WallError


def read(ctx: Context, file_id: str) -> bytes:
    return b"".join(ctx.files.open(file_id).chunks)


@pytest.mark.parametrize("size", [0, 1, 255 * 1024, 700_001])
def test_a_file_comes_back_as_it_was_put(alice: Context, size: int) -> None:
    data = os.urandom(size)
    file_id = alice.files.put("a.bin", "application/x-test", (data[i:i + 10_000] for i in range(0, size, 10_000)))
    opened = alice.files.open(file_id)
    assert (opened.name, opened.content_type, opened.length) == ("a.bin", "application/x-test", size)
    assert read(alice, file_id) == data


def test_carol_cannot_read_or_delete_acmes_file(alice: Context, carol: Context) -> None:
    file_id = alice.files.put("a.txt", "text/plain", [b"ours"])
    with pytest.raises(NotFound):
        carol.files.open(file_id)
    carol.files.delete(file_id)
    assert read(alice, file_id) == b"ours"


def test_the_same_id_in_another_tenant_is_another_file(alice: Context, carol: Context) -> None:
    file_id = alice.files.put("a.txt", "text/plain", [b"ours"])
    carol.files.put("b.txt", "text/plain", [b"theirs"], file_id=file_id)
    assert read(alice, file_id) == b"ours"
    assert read(carol, file_id) == b"theirs"


def test_what_fails_half_way_leaves_nothing(alice: Context, resources: Resources) -> None:
    file_id = new_id()

    def failing() -> Iterator[bytes]:
        yield os.urandom(600_000)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError):
        alice.files.put("a.bin", "application/x-test", failing(), file_id=file_id)
    with pytest.raises(NotFound):
        alice.files.open(file_id)
    key = f"{alice.actor.tenant_id}:{file_id}"
    assert resources.database["files.chunks"].count_documents({"files_id": key}) == 0


def test_a_file_that_is_still_written_cannot_be_read_and_ends_by_itself(alice: Context, resources: Resources) -> None:
    file_id, seen = new_id(), []

    def chunks() -> Iterator[bytes]:
        yield os.urandom(600_000)
        with pytest.raises(NotFound):
            alice.files.open(file_id)
        seen.append(resources.database["files.files"].find_one({"_id": f"{alice.actor.tenant_id}:{file_id}"}))

    alice.files.put("a.bin", "application/x-test", chunks(), file_id=file_id)
    assert seen[0]["metadata"]["expires_at"] - seen[0]["uploadDate"] == timedelta(hours=HALF_MADE_HOURS)
    assert len(read(alice, file_id)) == 600_000


def test_files_are_removed_when_their_time_is_over_and_not_before(alice: Context, carol: Context,
                                                                  resources: Resources) -> None:
    expired = ExpiredFiles(resources.database)
    kept = alice.files.put("a.txt", "text/plain", [b"for ever"])
    short = [ctx.files.put("b.txt", "text/plain", [b"for a day"], keep_days=1) for ctx in (alice, carol)]
    expired.remove(now=datetime.now(UTC), limit=100)
    assert (read(alice, short[0]), read(carol, short[1])) == (b"for a day", b"for a day")
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    assert expired.remove(now=tomorrow, limit=1) == 1
    assert expired.remove(now=tomorrow, limit=100) >= 1
    for ctx, file_id in zip((alice, carol), short, strict=True):
        with pytest.raises(NotFound):
            ctx.files.open(file_id)
    assert read(alice, kept) == b"for ever"


def test_a_deleted_file_is_gone_and_deleting_it_again_is_nothing(alice: Context) -> None:
    file_id = alice.files.put("a.txt", "text/plain", [b"ours"])
    alice.files.delete(file_id)
    alice.files.delete(file_id)
    with pytest.raises(NotFound):
        alice.files.open(file_id)


@pytest.mark.parametrize("file_id", ["", "x", "../" + "a" * 21, "a" * 25, "$where"])
def test_an_id_that_is_none_is_absent(alice: Context, file_id: str) -> None:
    with pytest.raises(NotFound):
        alice.files.open(file_id)


def test_files_without_a_tenant_are_refused(resources: Resources) -> None:
    with pytest.raises(WallError):
        TenantFiles(resources.database, "")


@pytest.mark.parametrize(("name", "safe"), [
    ("../../etc/passwd", "etc-passwd"), ("a\r\nSet-Cookie: x.csv", "a-Set-Cookie- x.csv"), ("", "file"),
    ("evil\u202egpj.exe", "evil-gpj.exe"), ("x" * 300 + ".csv", "x" * 109 + ".csv"), ("größe.csv", "größe.csv"),
])
def test_names_are_made_fit_for_a_download(name: str, safe: str) -> None:
    assert safe_name(name) == safe
