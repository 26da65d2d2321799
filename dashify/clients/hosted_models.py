"""A hosted endpoint that speaks OpenAI's protocol, as one more host for chat; its models are named `openai:NAME`."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from dashify.clients.model_hosts import (
    LARGEST_ANSWER,
    LONGEST_LINE,
    Failure,
    HostFailed,
    Messages,
    Part,
    failed_with,
    host_name,
    named_failures,
)
from dashify.clients.model_wire import TIMEOUT, Watch, Wire

PREFIX = "openai:"
_CHECK_SECONDS = 3.0
_LARGEST_ERROR = 64 * 1024
# A carriage return at the end of what came may be half of a line's end.
_LINE_ENDS = re.compile(rb"\r\n|\n|\r(?=.)", re.DOTALL)


class HostedHost:
    """One endpoint with its key. `names` are the models that settings give it, with their prefix."""

    def __init__(self, url: str, key: str, slots: int, names: Iterable[str]) -> None:
        address = urlsplit(url)
        self.name, self.slots, self._names = host_name(address), slots, frozenset(names)
        path = address.path.rstrip("/")
        self.key = self.name + path
        self._url, self._secret = f"{address.scheme}://{self.name}{path}", key
        # Newer models know only the second name, most other servers only the first.
        self._limit_name = "max_tokens"

    def __repr__(self) -> str:
        return f"HostedHost({self.name})"

    def models(self) -> frozenset[str]:
        """Ask whether it works and accepts the key; what it lists counts as far as it lists anything."""
        with named_failures(), self._client(Watch(_CHECK_SECONDS), LARGEST_ANSWER) as client:
            answer = client.get(f"{self._url}/models")
            if answer.status_code in (404, 405):
                return self._names
            if answer.status_code != 200:
                raise failed_with(answer.status_code)
            listed = {PREFIX + one["id"] for one in answer.json()["data"]}
            return self._names & listed if listed else self._names

    def chat(self, model: str, messages: Messages, max_tokens: int, watch: Watch) -> Generator[Part]:
        """Let `model` answer, part by part."""
        with named_failures(), self._client(watch, LARGEST_ANSWER, LONGEST_LINE) as client:
            body = {"model": model.removeprefix(PREFIX), "messages": [dict(one) for one in messages], "stream": True,
                    "stream_options": {"include_usage": True}}
            for limit_name in (self._limit_name, "max_completion_tokens"):
                request = client.build_request("POST", f"{self._url}/chat/completions",
                                               json=body | {limit_name: max_tokens})
                answer = client.send(request, stream=True)
                try:
                    if answer.status_code == 200:
                        self._limit_name = limit_name
                        yield from _parts(answer.iter_bytes())
                        return
                    failure = self._failure(answer)
                    if "max_completion_tokens" not in str(failure) or limit_name == "max_completion_tokens":
                        raise failure
                finally:
                    answer.close()

    def _failure(self, answer: httpx.Response) -> HostFailed:
        text = b""
        for chunk in answer.iter_bytes():
            text += chunk
            if len(text) > _LARGEST_ERROR:
                break
        try:
            reason = str(json.loads(text)["error"]["message"])
        except (ValueError, TypeError, KeyError):
            reason = ""
        if answer.status_code in (401, 403):
            reason = "it does not accept the key"
        elif self._secret:
            reason = reason.replace(self._secret, "…")
        rest = answer.headers.get("Retry-After", "")
        return failed_with(answer.status_code, reason, float(rest) if rest.isdecimal() and len(rest) < 6 else 0.0)

    def _client(self, watch: Watch, most: int, longest_line: int | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self._secret}"} if self._secret else {}
        return httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False, headers=headers,
                            transport=Wire(watch, most=most, longest_line=longest_line))


def events(chunks: Iterable[bytes], most: int = LONGEST_LINE) -> Iterator[str]:
    """Give the data of each server-sent event, however the bytes were cut; one of more than `most` bytes is an error.

    Raises:
        ValueError: an event is too large or is not UTF-8.
    """
    rest, data = b"", list[bytes]()
    for chunk in chunks:
        *lines, rest = _LINE_ENDS.split(rest + chunk)
        for line in lines:
            if line:
                data += _data(line)
            elif data:
                yield b"\n".join(data).decode()
                data = []
        if len(rest) + sum(map(len, data)) > most:
            raise ValueError("An event is too large.")
    # Some servers leave out the empty line after the last event.
    data += _data(rest.rstrip(b"\r"))
    if data:
        yield b"\n".join(data).decode()


def _data(line: bytes) -> list[bytes]:
    field, _, value = line.removeprefix(b"\xef\xbb\xbf").partition(b":")
    return [value.removeprefix(b" ")] if field == b"data" else []


def _parts(chunks: Iterable[bytes]) -> Iterator[Part]:
    """Read a stream of chat completion chunks; the last part has the usage, where the endpoint tells it."""
    finished, usage = False, dict[str, Any]()
    for data in events(chunks):
        if data == "[DONE]":
            finished = True
            break
        chunk = json.loads(data)
        if chunk.get("error"):
            raise HostFailed(Failure.AWAY, "it reported an error while it answered")
        usage = chunk.get("usage") or usage
        for choice in chunk.get("choices") or []:
            yield Part(str((choice.get("delta") or {}).get("content") or ""))
            finished = finished or bool(choice.get("finish_reason"))
    if finished:
        yield Part("", True, _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
