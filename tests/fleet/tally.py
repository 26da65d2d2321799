"""What came of a load: failed requests, lost or doubled messages, time without a socket, lost jobs."""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections import Counter, defaultdict
from functools import cache
from typing import Any

from tests.fleet.pages import Page
from tests.system.kit import Person

Json = dict[str, Any]
# Ten hosts, Ansible, a browser and the load itself share this machine: 50 posts a second are for four cores that count
# to 20 million within a second each, and a smaller machine gets as many fewer.
MOST_POSTS_PER_SECOND, _CORES, _COUNTED = 50.0, 4, 20_000_000
# Longer than a playbook may take; a load that ends by itself has not seen the end of the change, and fails the test.
MOST_SECONDS = 1000.0
_KEPT, _SHOWN = 50, 10
_SLOW_SECONDS = 3.0
_ENDED = {"job": {"done"}, "document": {"ready"}}


@cache
def posts_per_second() -> float:
    """Give the posts a second that this machine carries beside all else, or what FLEET_POSTS_PER_SECOND says."""
    given = os.environ.get("FLEET_POSTS_PER_SECOND")
    if given:
        return float(given)
    tries = []
    for _ in range(2):
        started, counted = time.perf_counter(), 0
        for number in range(_COUNTED):
            counted += number
        tries.append(time.perf_counter() - started)
    machine = (os.cpu_count() or 1) / _CORES / min(tries)
    return round(MOST_POSTS_PER_SECOND * min(1.0, machine), 1)


class Tally:
    """Counts while the load runs, and compares at its end what was acknowledged with what is there."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.failures: list[tuple[float, str, str]] = []
        self.slow: list[tuple[float, str, float]] = []
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.acknowledged: dict[str, dict[str, int]] = defaultdict(dict)
        self.lost: list[str] = []
        self.doubled: list[str] = []
        self.unseen: list[str] = []
        self.gaps: list[str] = []
        self.open_jobs: list[tuple[str, Person, str]] = []
        self.jobs: Counter[str] = Counter()
        self.jobs_asked = 0
        self._ids = itertools.count(1)
        self._began = self._ended = time.time()

    def next_id(self) -> str:
        """Give a name that nothing else in this load has."""
        return f"load-{next(self._ids)}"

    def begin(self) -> None:
        """Note when the load begins."""
        self._began = time.time()

    def end(self) -> None:
        """Note when the load ends; what is still under way counts, too."""
        self._ended = time.time()

    def count(self, what: str, started: float, call: str, why: str) -> None:
        """Count a call; `why` says how it failed, if it did."""
        took = time.time() - started
        self.requests[what] += 1
        self.seconds[what].append(took)
        if took > _SLOW_SECONDS:
            self.slow.append((round(started - self._began, 2), call, round(took, 2)))
        if why:
            self.failures.append((round(started - self._began, 2), call, why))

    def acknowledge(self, channel: str, client_id: str, message: Json) -> None:
        """Remember a message that the server said it has."""
        self.acknowledged[channel][client_id] = message["seq"]

    def expect_job(self, kind: str, person: Person, path: str) -> None:
        """Remember work that must be done in the end."""
        self.jobs_asked += 1
        self.open_jobs.append((kind, person, path))

    def look_at_jobs(self) -> None:
        """Ask how far each open job is."""
        still = []
        for kind, person, path in self.open_jobs:
            answer = person.call("GET", path)
            status = answer.json()[kind]["status"] if answer.status_code == 200 else f"HTTP {answer.status_code}"
            if status in _ENDED[kind]:
                self.jobs["done"] += 1
            elif status in ("failed", "cancelled", "dead"):
                self.jobs[status] += 1
            else:
                still.append((kind, person, path))
        self.open_jobs = still

    def check_channel(self, channel: str, history: list[Json], head: int, pages: list[Page]) -> None:
        """Compare a channel as it is now with what was acknowledged and with what each of its pages saw."""
        rows = Counter(row["client_id"] for row in history)
        self.doubled += [client_id for client_id, times in rows.items() if times > 1]
        if [row["seq"] for row in history] != list(range(1, head + 1)):
            self.gaps.append(f"{channel}: {len(history)} rows up to {head}")
        numbers = {row["client_id"]: row["seq"] for row in history}
        acknowledged = self.acknowledged[channel].items()
        self.lost += [client_id for client_id, seq in acknowledged if numbers.get(client_id) != seq]
        truth = {row["seq"]: row["client_id"] for row in history}
        for page in pages:
            wrong = [seq for seq, client_id in truth.items() if page.seen[channel].get(seq) != client_id]
            if wrong:
                self.unseen.append(f"{page.person.user['name']} in {channel}: {len(wrong)} of {len(truth)}")

    def summary(self, pages: list[Page], posts_asked: float) -> Json:
        """Sum up in plain values, with the posts a second that were asked of it."""
        times = sorted((gap, since) for page in pages for since, gap in page.away if since >= self._began)
        away = [gap for gap, _ in times]
        refusals = [(round(at - self._began, 2), why) for page in pages for at, why in page.refusals
                    if at >= self._began]
        return {
            "began": self._began, "seconds": round(self._ended - self._began, 1),
            "requests": dict(self.requests), "failed": len(self.failures), "failures": self.failures[:_KEPT],
            "slow": self.slow[:_KEPT],
            "slowest_ms": {what: round(max(times) * 1000) for what, times in self.seconds.items()},
            "median_ms": {what: round(statistics.median(times) * 1000) for what, times in self.seconds.items()},
            "posts_per_second": posts_asked,
            "acknowledged": sum(map(len, self.acknowledged.values())),
            "lost": self.lost[:_KEPT], "doubled": self.doubled[:_KEPT], "gaps": self.gaps,
            "unseen": self.unseen[:_KEPT],
            "pages": len(pages), "reconnects": len(away), "not_back": sum(not page.connected for page in pages),
            "sent_away": sum(page.sent_away for page in pages),
            "away_median": round(statistics.median(away), 3) if away else 0.0,
            "away_p95": round(away[int(len(away) * 0.95)], 3) if away else 0.0,
            "away_most": round(away[-1], 3) if away else 0.0,
            "longest": sorted((round(since - self._began, 2), round(gap, 2)) for gap, since in times[-_SHOWN:]),
            "refusals": len(refusals), "refused": sorted(refusals)[:_KEPT],
            "jobs": {"asked": self.jobs_asked, **self.jobs, "open": len(self.open_jobs)},
            "instances": sorted({name for page in pages for name in page.instances}),
        }


def table(found: Json) -> str:
    """Draw a summary for people."""
    away = " ".join(f"{name} {found[f'away_{name}']} s" for name in ("median", "p95", "most"))
    rows = [
        ("under load", f"{found['seconds']:.0f} s, {found['posts_per_second']} posts a second"),
        ("requests", ", ".join(f"{count} {what}" for what, count in found["requests"].items())),
        ("median ms", ", ".join(f"{ms} {what}" for what, ms in found["median_ms"].items())),
        ("slowest ms", ", ".join(f"{ms} {what}" for what, ms in found["slowest_ms"].items())),
        ("failed requests", str(found["failed"])),
        ("acknowledged messages", str(found["acknowledged"])),
        *((name, str(len(found[name]))) for name in ("lost", "doubled", "gaps", "unseen")),
        ("pages", f"{found['pages']}, {found['reconnects']} reconnects, {found['not_back']} not back"),
        ("without a socket", away),
        ("refused connections", str(found["refusals"])),
        ("jobs", ", ".join(f"{count} {what}" for what, count in found["jobs"].items())),
        *_browser_rows(found.get("browser")),
    ]
    return "\n".join(f"  {name:<28} {value}" for name, value in rows)


def _browser_rows(browser: Json | None) -> list[tuple[str, str]]:
    if browser is None:
        return []
    asked = ", ".join(f"{count} for {what}" for what, count in browser["requests"].items())
    done = ", ".join(f"{browser[what]} {what}" for what in ("pages", "parts", "messages"))
    return [("a real browser", done),
            ("its requests", f"{asked}; {browser['assets']} assets by name; {len(browser['failures'])} failures"),
            ("its slowest", f"{browser['slowest_ms']} ms")]
