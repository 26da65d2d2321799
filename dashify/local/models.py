"""The embedding host: Ollama's protocol in front of one small model (`python -m dashify.local.models --port N`).

It embeds only: a laptop without Ollama has no chat model, so `/api/chat` is not here.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from dashify.local.embedding import (
    DIMENSIONS,
    MOST_TOKENS,
    Embedder,
    TooLong,
    network_file,
    to_unit,
)
from dashify.local.json_server import Answer, Refused, Request, Service, serve

VERSION = "0.12.0-dashify"
MODEL = "all-minilm:latest"
NAMES = {"all-minilm", MODEL, "all-minilm:l6-v2", "all-minilm:22m"}
MOST_TEXTS = 512
LARGEST_BODY = 8 * 1024 * 1024
KEEP_SECONDS = 300.0
LONGEST_KEEP = 1e9
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h)")


class Host:
    """The model and how long it is kept in memory after its last use, in seconds (negative: for good)."""

    def __init__(self) -> None:
        self.embedder = Embedder()
        self.keep = KEEP_SECONDS
        self.expires = datetime.now(UTC)

    def tick(self) -> None:
        """Free the model's memory when its time is over."""
        if self.keep >= 0:
            self.embedder.drop_if_idle(self.keep)

    def answer(self, request: Request) -> Answer:
        """Answer one request of Ollama's protocol.

        Raises:
            Refused: the path, the model or the input is not one that is served.
        """
        match request.method, request.path:
            case "GET" | "HEAD", "":
                return Answer("Ollama is running")
            case "GET" | "HEAD", "api/version":
                return Answer({"version": VERSION})
            case "GET" | "HEAD", "api/tags":
                return Answer({"models": [{**_card(), "modified_at": _stamp(_modified())}]})
            case "GET", "api/ps":
                return Answer({"models": [self._running()] if self.embedder.loaded else []})
            case "POST", "api/embed":
                return self._embed(request.json())
        raise Refused(404, "404 page not found")

    def _running(self) -> dict[str, Any]:
        return {**_card(), "expires_at": _stamp(self.expires), "size_vram": 0, "context_length": MOST_TOKENS}

    def _embed(self, body: Any) -> Answer:
        if not isinstance(body, dict):
            raise Refused(400, "missing request body")
        texts, dimensions = _texts(body.get("input")), _dimensions(body.get("dimensions"))
        name = body.get("model")
        if not isinstance(name, str) or not name:
            raise Refused(400, "model is required")
        if name not in NAMES:
            raise Refused(404, f"model '{name}' not found")
        self.keep = _seconds(body.get("keep_alive"))
        started, was_loaded = time.monotonic_ns(), self.embedder.loaded
        try:
            result = self.embedder.embed(texts, cut=body.get("truncate") is not False)
        except TooLong as error:
            raise Refused(400, str(error)) from error
        taken = time.monotonic_ns() - started
        self.expires = datetime.now(UTC) + timedelta(seconds=self.keep if self.keep >= 0 else LONGEST_KEEP)
        vectors = result.vectors if dimensions == DIMENSIONS else to_unit(result.vectors[:, :dimensions])
        return Answer({
            "model": name, "embeddings": vectors.tolist(), "total_duration": taken,
            "load_duration": 0 if was_loaded else taken, "prompt_eval_count": result.tokens,
        })


def _texts(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Refused(400, "invalid input type")
    if len(texts) > MOST_TEXTS:
        raise Refused(400, f"too many inputs: {len(texts)}, the most is {MOST_TEXTS}")
    # JSON may carry half of a surrogate pair, which no text encoding can hold.
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def _dimensions(value: Any) -> int:
    if value is None or value == 0:
        return DIMENSIONS
    if type(value) is not int or not 0 < value <= DIMENSIONS:
        raise Refused(400, f"dimensions must be between 1 and {DIMENSIONS}")
    return value


def _seconds(value: Any) -> float:
    """Read `keep_alive`: seconds as a number, or text such as "5m" or "1h30m"."""
    if value is None:
        return KEEP_SECONDS
    if isinstance(value, int | float):
        seconds = value
    elif isinstance(value, str) and value and not DURATION.sub("", value):
        seconds = sum(float(number) * UNITS[unit] for number, unit in DURATION.findall(value))
    else:
        raise Refused(400, f"invalid keep_alive {value!r}")
    return max(-1.0, min(LONGEST_KEEP, seconds))


@lru_cache(maxsize=1)
def _card() -> dict[str, Any]:
    data = network_file().read_bytes()
    return {
        "name": MODEL, "model": MODEL, "size": len(data), "digest": hashlib.sha256(data).hexdigest(),
        "details": {"parent_model": "", "format": "onnx", "family": "bert", "families": ["bert"],
                    "parameter_size": "23M", "quantization_level": "Q8_0"},
    }


def _modified() -> datetime:
    return datetime.fromtimestamp(network_file().stat().st_mtime, UTC)


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="An embedding host that speaks Ollama's protocol.")
    parser.add_argument("--port", type=int, required=True)
    host = Host()
    serve(parser.parse_args().port, Service(
        answer=host.answer, refuse=lambda _status, message: {"error": message}, tick=host.tick,
        largest_body=LARGEST_BODY,
    ))


if __name__ == "__main__":
    main()
