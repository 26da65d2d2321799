"""What stands in for `mongodump` and `mongorestore`, which cannot be had here; it runs on data1, by itself.

`python archive.py dump|restore` copies all databases from or to the MongoDB on loopback, with their indexes, by way of
the file that `BACKUP_FILE` names. As the real ones it takes no notice of what is written meanwhile.
"""

from __future__ import annotations

import os
import sys
import zipfile
from typing import Any

import bson
from pymongo import MongoClient

OWN = ("admin", "config", "local")
BATCH = 500


def dump(client: MongoClient[Any], path: str) -> None:
    """Copy everything into a new file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for database in set(client.list_database_names()) - set(OWN):
            for name in client[database].list_collection_names():
                rows = client[database][name]
                indexes = [dict(index) for index in rows.list_indexes() if index["name"] != "_id_"]
                archive.writestr(f"{database}/{name}.indexes", bson.encode({"indexes": indexes}))
                archive.writestr(f"{database}/{name}.rows", b"".join(bson.encode(row) for row in rows.find()))


def restore(client: MongoClient[Any], path: str) -> None:
    """Put what the file has in the place of what is there."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.namelist():
            database, _, name = entry.rpartition(".")[0].partition("/")
            rows = client[database][name]
            if entry.endswith(".indexes"):
                rows.drop()
                for index in bson.decode(archive.read(entry))["indexes"]:
                    keys = list(index.pop("key").items())
                    rows.create_index(keys, **{key: value for key, value in index.items() if key != "v"})
            else:
                found = bson.decode_all(archive.read(entry))
                for start in range(0, len(found), BATCH):
                    rows.insert_many(found[start:start + BATCH])


if __name__ == "__main__":
    with MongoClient("mongodb://127.0.0.1:27017/?directConnection=true") as opened:
        {"dump": dump, "restore": restore}[sys.argv[1]](opened, os.environ["BACKUP_FILE"])
