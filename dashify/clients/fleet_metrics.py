"""Reading what the processes of a fleet publish: from Prometheus, or from the processes themselves, twice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from dashify.domain.fleet import NAMES, Labels, Readings
from dashify.errors import Unavailable

_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_ADDED = ("__name__", "instance", "job", "slot", "worker")
_OF_MODELS = "dashify_model_"
Found = dict[str, dict[tuple[str, Labels], list[tuple[float, float]]]]


def scrape(urls: Sequence[str], seconds: float) -> Readings:
    """Read every process now and again after `seconds`.

    Raises:
        Unavailable: `metrics_unavailable`, one of them does not answer or publishes no metrics.
    """
    found: Found = {url: {} for url in urls}
    with _client() as client:
        began = time.monotonic()
        _read_all(client, found)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        _read_all(client, found)
    return {_place(url): series for url, series in found.items()}


def ask_prometheus(url: str, seconds: float, password: str = "") -> Readings:
    """Read what Prometheus has of the last `seconds`, processes told apart by its labels `job`, `host` and `instance`.

    `password` is that of the user whom `url` names.

    Raises:
        Unavailable: `metrics_unavailable`, it does not answer or refuses.
    """
    query = f'{{__name__=~"{"|".join(sorted(NAMES))}"}}[{seconds:.0f}s]'
    with _client() as client:
        try:
            asked = httpx.URL(url.rstrip("/") + "/api/v1/query")
            shown = httpx.BasicAuth(asked.username, password) if password else httpx.USE_CLIENT_DEFAULT
            answer = client.post(asked, data={"query": query}, auth=shown)
            body = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _silent(url) from error
    if answer.status_code != 200 or not isinstance(body, dict) or body.get("status") != "success":
        raise Unavailable(f"Prometheus at {_place(url)} refuses: {str(body)[:200]}", code="metrics_unavailable")
    found: Found = {}
    try:
        for target, name, labels, points in _series(body["data"]["result"]):
            found.setdefault(target, {})[name, labels] = points
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _silent(url) from error
    return found


def _series(result: list[dict[str, Any]]) -> Iterator[tuple[str, str, Labels, list[tuple[float, float]]]]:
    for one in result:
        about, name = dict(one["metric"]), one["metric"]["__name__"]
        # Agents read their own host's processes on loopback, so `instance` alone names one on each host. A model host
        # is a label of the process's own, which Prometheus renames where it has hosts itself.
        host = about.pop("host", "") if "exported_host" in about or not name.startswith(_OF_MODELS) else ""
        if "exported_host" in about:
            about["host"] = about.pop("exported_host")
        target = " ".join(filter(None, (about.get("job"), host, about.get("instance"))))
        labels = tuple(sorted((key, value) for key, value in about.items() if key not in _ADDED))
        yield target, name, labels, [(float(at), float(value)) for at, value in one["values"]]


def _read_all(client: httpx.Client, found: Found) -> None:
    for url, series in found.items():
        samples, now = _read(client, url), time.monotonic()
        for sample in samples:
            labels = tuple(sorted(sample.labels.items()))
            series.setdefault((sample.name, labels), []).append((now, float(sample.value)))


def _read(client: httpx.Client, url: str) -> list[Sample]:
    """Give those samples of one process that count here."""
    try:
        answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _silent(url) from error
    if answer.status_code != 200:
        raise Unavailable(f"{_place(url)} answers {answer.status_code}: metrics are given to their own host only.",
                          code="metrics_unavailable")
    try:
        return [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples
                if sample.name in NAMES]
    except ValueError as error:
        raise Unavailable(f"What {_place(url)} answers are no metrics.", code="metrics_unavailable") from error


def _client() -> httpx.Client:
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)


def _place(url: str) -> str:
    """Name an address without what may be secret in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "this address"
    return parts.netloc.rpartition("@")[2] + parts.path.removesuffix("/metrics")


def _silent(url: str) -> Unavailable:
    return Unavailable(f"{_place(url)} gives no metrics.", code="metrics_unavailable")
