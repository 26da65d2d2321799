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

TRANSACTIONS, SERVER = "transactions.py", "server.py"
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
