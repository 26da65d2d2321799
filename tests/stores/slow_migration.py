"""A release with a migration that takes its time, to be killed in the middle: `slow_migration.py URL DATABASE`."""

from __future__ import annotations

import sys
import time

from pymongo import UpdateOne

from dashify.stores.migrating import Migrator
from dashify.stores.migrations import MIGRATIONS, Migration, Phase, Step
from dashify.stores.mongo import open_client, open_database

BATCH, PAUSE_SECONDS = 10, 0.2


def greet_all(step: Step) -> None:
    """Count in each person how often they were looked at; harmless twice, but then it shows."""
    for people in step.batches("people.known", {"born": {"$gt": 1900}}, BATCH):
        step.database["people.known"].bulk_write(
            [UpdateOne({"_id": one["_id"]}, {"$inc": {"looks": 1}, "$set": {"greeted": True}}) for one in people])
        time.sleep(PAUSE_SECONDS)


SLOW = (*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "greet everybody", Phase.EXPAND, greet_all))


if __name__ == "__main__":
    Migrator(open_database(open_client(sys.argv[1]), sys.argv[2]), migrations=SLOW, say=print).run()
