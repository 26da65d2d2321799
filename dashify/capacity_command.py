"""`dashify capacity`: how many instances and workers the present load needs, and twice of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import click

from dashify.clients.fleet_metrics import ask_prometheus, scrape
from dashify.domain.capacity import Group, Need, Report, judge
from dashify.domain.fleet import API, sum_up
from dashify.domain.jobs import Queue
from dashify.errors import DashifyError

_SCRAPE_SECONDS, _PROMETHEUS_SECONDS = 30.0, 300.0
_FAR = 100.0


@click.command()
@click.option("--prometheus", metavar="URL", help="Ask this Prometheus, such as http://dashify@monitor1:9090.")
@click.option("--password-file", type=click.File(), metavar="FILE",
              help="Read from FILE the password of the user whom the address names; - is standard input.")
@click.option("--targets", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="Read the addresses in FILE, one a line, such as http://127.0.0.1:8000/metrics.")
@click.option("--seconds", type=click.FloatRange(1, 86_400), help="How long to look: 30 by targets, 300 by Prometheus.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def capacity(prometheus: str | None, password_file: TextIO | None, targets: Path | None, seconds: float | None,
             as_json: bool) -> None:
    """Say how many instances and workers the present load needs, and twice of it, and what is full next.

    Changes nothing and needs no settings. MongoDB, Redis and Qdrant are not judged.
    """
    if (prometheus is None) == (targets is None):
        raise click.UsageError("Give either --prometheus or --targets.")
    if targets is not None and password_file is not None:
        raise click.UsageError("--password-file is for --prometheus; targets ask for no password.")
    try:
        if prometheus is not None:
            readings = ask_prometheus(prometheus, seconds or _PROMETHEUS_SECONDS,
                                      password_file.read().strip() if password_file else "")
        else:
            assert targets is not None
            readings = scrape(_addresses(targets), seconds or _SCRAPE_SECONDS)
    except DashifyError as error:
        raise click.ClickException(error.message) from error
    report = judge(sum_up(readings), list(Queue))
    if not report.fleet.processes:
        raise click.ClickException("No process of Dashify was found there, or each only once.")
    click.echo(json.dumps(shape(report)) if as_json else "\n".join(lines(report)))


def shape(report: Report) -> dict[str, Any]:
    """Give a report as JSON has it; a pressure without bound is null."""
    def need(one: Need) -> dict[str, Any]:
        return {**asdict(one), "pressure": _finite(one.pressure), "needed": one.needed(1),
                "needed_doubled": one.needed(2)}

    def group(one: Group) -> dict[str, Any]:
        return {"name": one.name, "running": one.running, "least": one.least, "needed": one.needed(1),
                "needed_doubled": one.needed(2), "needs": [need(each) for each in one.needs]}

    full = report.bottleneck
    return {
        "seconds": report.fleet.seconds, "groups": [group(one) for one in report.groups],
        "bottleneck": full and {"group": full.name, "thing": full.fullest.thing,
                                "pressure": _finite(full.fullest.pressure)},
        "idle": list(report.idle), "warnings": list(report.warnings),
        "processes": [asdict(one) for one in report.fleet.processes],
        "queues": {name: asdict(state) for name, state in report.fleet.queues.items()}}


def lines(report: Report) -> Iterator[str]:
    """Give a report as lines for people, with the arithmetic."""
    fleet = report.fleet
    yield f"{len(fleet.processes)} processes over {fleet.seconds:.0f} s. Need: used / (what one has x its share)."
    yield ""
    yield f"{'':<15}{'run':>5}{'need':>6}{'doubled':>9}  because"
    for group in report.groups:
        yield f"{group.title:<15}{group.running:>5}{group.needed(1):>6}{group.needed(2):>9}  {_arithmetic(group)}"
    yield ""
    yield from _load(report)
    yield ""
    yield f"Full first: {_bottleneck(report)}."
    yield from (f"Idle: {one}." for one in report.idle)
    yield from (f"Note: {one}." for one in report.warnings)


def _arithmetic(group: Group) -> str:
    parts = []
    for need in group.needs:
        if need.one:
            exact = need.used / (need.one * need.share)
            parts.append(f"{need.thing} {need.used:,.2f} / ({need.one:,.0f} x {need.share:g}) = {exact:.2f}")
    if group.least:
        parts.append(f"at least {group.least}")
    return "; ".join(parts)


def _load(report: Report) -> Iterator[str]:
    fleet = report.fleet
    for one in fleet.of_role(API):
        yield (f"{one.target}: {one.cores:.2f} cores, {one.memory_bytes / 2**20:.0f} MiB, {one.sockets:.0f} sockets, "
               f"{one.requests:.1f} requests, {one.events:.1f} events in, {one.deliveries:.1f} out, "
               f"{one.heard:.1f} heard a second, at most {one.lag_seconds * 1000:.0f} ms late")
    for queue, state in fleet.queues.items():
        workers = [one for one in fleet.processes if one.queue == queue]
        jobs, busy = sum(one.jobs for one in workers), sum(one.busy for one in workers)
        each = f"{busy / jobs:.2f} s each" if jobs else "none ended"
        if not jobs and not state.queued:
            continue
        yield (f"{queue}: {jobs:.1f} jobs a second, {each}, {state.queued:.0f} wait ({state.growth:+.1f} a second), "
               f"the first for {state.oldest_seconds:.0f} s")


def _bottleneck(report: Report) -> str:
    if report.bottleneck is None:
        return "nothing, for nothing is used"
    need = report.bottleneck.fullest
    what = f"{need.thing} of {report.bottleneck.title}, used to {need.pressure:.0%} of what it may"
    if need.pressure >= 1:
        return f"{what}: it is full now"
    times = 1 / need.pressure
    return f"{what}: full at {times:.1f} times the present load" if times < _FAR else f"{what}: far from full"


def _addresses(file: Path) -> list[str]:
    rows = (row.strip() for row in file.read_text(encoding="utf-8").splitlines())
    found = list(dict.fromkeys(row for row in rows if row and not row.startswith("#")))
    if not found:
        raise click.ClickException(f"{file} names no address.")
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
