"""The migrations of the database, in order, and the numbers that a release has from them. They only go forward.

`docs/decisions/019-migrations.md` says what a migration may rely on, and how a change is split in two releases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pymongo.database import Database

from dashify.errors import DashifyError
from dashify.stores.mongo import Document


class MigrationFailed(DashifyError):
    """A migration cannot go on; what was done stays, and running it again goes on from there."""

    default_code = "migration_failed"


class Phase(StrEnum):
    """`expand` adds what older releases that run do not mind; `contract` takes away what they would miss."""

    EXPAND = "expand"
    CONTRACT = "contract"


class Step(Protocol):
    """What a migration works with; its place is kept, so that another run goes on where this one was killed."""

    database: Database[Document]

    def batches(self, collection: str, where: Document, size: int = 500) -> Iterator[list[Document]]:
        """Give the documents that match, by `_id`, `size` at a time, those after the place that was kept."""

    def build(self, collection: str, *names: str) -> None:
        """Build indexes of INDEXES now, not at the end: for work that needs them, or that lets a unique one be."""

    def expire(self, collection: str, name: str) -> None:
        """Have an index that is there forget documents after the time that INDEXES says now."""

    def drop(self, collection: str, *names: str) -> None:
        """Drop indexes that INDEXES does not have any more; in a contract migration only."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One change. `work` runs beside older releases, in batches, and doing it again is harmless.

    A contract migration's number is also the oldest schema whose releases may run once it has begun.
    """

    number: int
    name: str
    phase: Phase
    work: Callable[[Step], None]


def only_indexes(step: Step) -> None:
    """Do nothing but have the indexes built: every run ends with those of INDEXES that are missing."""


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "make the indexes of the first release", Phase.EXPAND, only_indexes),
    # Beside those of the first release with the same keys, which a contract of the next one drops.
    Migration(2, "make partial indexes that what is looked for can use", Phase.EXPAND, only_indexes),
)


def newest(migrations: tuple[Migration, ...]) -> int:
    """Give the schema number of the release that has these migrations."""
    return max((one.number for one in migrations), default=0)


def needed(migrations: tuple[Migration, ...]) -> int:
    """Give the schema that the database must have reached for that release to run."""
    return max((one.number for one in migrations if one.phase is Phase.EXPAND), default=0)


SCHEMA = newest(MIGRATIONS)
NEEDED = needed(MIGRATIONS)
