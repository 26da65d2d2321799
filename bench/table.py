"""The one table that `make bench` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

LEAST_PER_SECOND = 2_500.0
MOST_GROWTH = 0.05
_WIDTHS = (7, 50, 25, 25)


@dataclass
class Row:
    """One measure: its title, what each round found on our side and on the peer's, and who the peer is."""

    title: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    peer: str = ""

    @property
    def ratio(self) -> float | None:
        """The ratio of the medians, None where a side has not been measured."""
        return median(self.ours) / median(self.theirs) if self.ours and self.theirs else None

    def line(self) -> str:
        """Give the row as a line of the table."""
        ratio = "-" if self.ratio is None else f"{self.ratio:.2f}"
        return _line(ratio, self.title, _spread(self.ours), _spread(self.theirs), self.peer)


def render(rows: Sequence[Row]) -> list[str]:
    """Give the table's lines, without the rows that nobody measured."""
    measured = [row for row in rows if row.ours or row.theirs]
    if not measured:
        return []
    return [_line("ratio", "", "Dashify", "peer", ""), *(row.line() for row in measured)]


def describe_memory(counts: Sequence[int], samples: Sequence[float]) -> list[str]:
    """Say how much memory (MiB) a worker's process held after so many jobs, and whether it stayed flat."""
    after = ", ".join(f"{mib:.1f} after {count:,}" for count, mib in zip(counts, samples, strict=True))
    grown = samples[-1] - samples[0]
    share = grown / samples[0]
    return [f"worker's memory in MiB, one process: {after} jobs; growth {grown:+.1f} MiB ({share:+.1%})",
            _judge(f"worker's memory, {counts[0]:,} to {counts[-1]:,} jobs: less than {MOST_GROWTH:.0%} more",
                   share < MOST_GROWTH)]


def judge_speed(row: Row) -> str:
    """Say whether empty jobs run as fast as they must."""
    return _judge(f"empty jobs, 50 at once in one process: at least {LEAST_PER_SECOND:,.0f} a second",
                  median(row.ours) >= LEAST_PER_SECOND)


def _judge(target: str, holds: bool) -> str:
    return f"target: {target}: {'holds' if holds else 'MISSED'}"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    digits = 0 if median(values) >= 100 else 2
    least, most = (f"{value:,.{digits}f}" for value in (min(values), max(values)))
    return f"{median(values):,.{digits}f} ({least}-{most})"


def _line(ratio: str, title: str, ours: str, theirs: str, peer: str) -> str:
    first, second, third, fourth = _WIDTHS
    return f"{ratio:>{first}}  {title:<{second}}{ours:>{third}}{theirs:>{fourth}}  {peer}".rstrip()
