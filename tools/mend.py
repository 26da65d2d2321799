"""Mend SecantusDB 0.7.0b3, which can stop for good, and slows down: `make setup` changes the installed copy.

It stops where a plain change of many rows waits for the row of a transaction (whose client may have been killed) while
another transaction waits for that change: whoever asks for the lock of all transactions then waits, holding it, for the
second one's, and the first can neither commit nor be given up. MongoDB has no such lock. What is busy is not idle, so
nothing needs to wait for it.

And what a process had locked when it died is locked for a minute; MongoDB has a setting for that, see `ansible/roles`.
"""

from __future__ import annotations

from pathlib import Path

from tools.steps import StepFailed

TRANSACTIONS, SERVER, STORAGE = "transactions.py", "server.py", "storage.py"
MENDS = (
    (SERVER, "        transaction_lifetime_seconds: float = 60.0,\n",
     "        transaction_lifetime_seconds: float = 15.0,\n"),
    (TRANSACTIONS,
     "            with txn.mutex:\n                if txn.state is TxnState.IN_PROGRESS and txn.last_use < cutoff:\n"
     "                    self._rollback_quietly(txn)\n                    txn.state = TxnState.ABORTED\n"
     "                    reaped += 1\n",
     "            if not txn.mutex.acquire(blocking=False):\n                continue\n            try:\n"
     "                if txn.state is TxnState.IN_PROGRESS and txn.last_use < cutoff:\n"
     "                    self._rollback_quietly(txn)\n                    txn.state = TxnState.ABORTED\n"
     "                    reaped += 1\n            finally:\n                txn.mutex.release()\n"),
    (TRANSACTIONS,
     "    def _abort_locked(self, txn: Transaction) -> None:\n        with txn.mutex:\n"
     "            if txn.state is TxnState.IN_PROGRESS:\n"
     "                self._rollback_quietly(txn)\n                txn.state = TxnState.ABORTED\n",
     "    def _abort_locked(self, txn: Transaction) -> None:\n        if not txn.mutex.acquire(timeout=1.0):\n"
     "            return\n        try:\n            if txn.state is TxnState.IN_PROGRESS:\n"
     "                self._rollback_quietly(txn)\n                txn.state = TxnState.ABORTED\n"
     "        finally:\n            txn.mutex.release()\n"),
    # Up to 10,000 answers are kept for whoever asks again, in the order of their time: two looks at all of them and a
    # sorting, under that same lock, for each write.
    (TRANSACTIONS,
     "        now = self._time()\n        cutoff = now - _RETRYABLE_RECORD_LIFETIME_SECONDS\n"
     "        stale = [k for k, (_r, at, _i) in self._retryable.items() if at < cutoff]\n"
     "        for k in stale:\n            self._retryable.pop(k, None)\n"
     "        excess = len(self._retryable) - _RETRYABLE_RECORD_MAX\n        if excess > 0:\n"
     "            oldest = sorted(self._retryable.items(), key=lambda kv: kv[1][1])[:excess]\n"
     "            for k, _v in oldest:\n                self._retryable.pop(k, None)\n",
     "        cutoff = self._time() - _RETRYABLE_RECORD_LIFETIME_SECONDS\n        while self._retryable:\n"
     "            key = next(iter(self._retryable))\n"
     "            if self._retryable[key][1] >= cutoff and len(self._retryable) <= _RETRYABLE_RECORD_MAX:\n"
     "                break\n            del self._retryable[key]\n"),
    (STORAGE, "import functools\nimport logging\n", "import functools\nimport itertools\nimport logging\n"),
    # Of clauses and an $or or $and beside them, as `findAndModify` makes of any, it read the whole collection; an `_id`
    # with more was looked for among all that the more leaves; and an $in kept it from a partial index. What an index
    # finds is compared after.
    (STORAGE,
     "        if not filter:\n            return None\n        if any(f.startswith(\"$\") for f in filter):\n"
     "            return None\n        # Fast path: equality on _id alone",
     "        filter = {f: clause for f, clause in (filter or {}).items() if not f.startswith(\"$\")}\n"
     "        if not filter:\n            return None\n"
     "        if len(filter) > 1 and \"_id\" in filter and collation is None:\n"
     "            if _id_point_lookup_keys(filter[\"_id\"]) is not None and not self._is_timeseries(db, coll):\n"
     "                filter = {\"_id\": filter[\"_id\"]}\n"
     "        many = [f for f, clause in filter.items() if isinstance(clause, dict) and list(clause) == [\"$in\"]]\n"
     "        if many and len(filter) > 1 and not any(isinstance(filter[f], dict) for f in filter if f not in many):\n"
     "            each = list(itertools.islice(itertools.product(*(filter[f][\"$in\"] for f in many)), 201))\n"
     "            if len(each) <= 200 and not any(isinstance(value, dict) for values in each for value in values):\n"
     "                found = [self._try_compound_eq_id_keys(db, coll, {**filter, **dict(zip(many, values))},\n"
     "                                                       collation=collation) for values in each]\n"
     "                if None not in found:\n"
     "                    return list(dict.fromkeys(rid for rids in found for rid in rids))\n"
     "        # Fast path: equality on _id alone"),
)


def mend(packages: Path) -> None:
    """Mend the copy in a folder of installed packages; once is enough, twice does no harm.

    Raises:
        StepFailed: it is another version, of which somebody has to see whether it still stops.
    """
    for name, stuck, mended in MENDS:
        path = packages / "secantus" / name
        text = path.read_text()
        if mended in text:
            continue
        if text.count(stuck) != 1:
            raise StepFailed(f"  {path} is not of the SecantusDB that tools/mend.py knows: does it still stop?")
        path.write_text(text.replace(stuck, mended))
