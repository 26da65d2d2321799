"""What every model host can do, how its failures are named, and Ollama's kind of host.

Addresses come from the operator and are trusted; what hosts answer is not. Nothing that leaves this module carries an
address's user info or a key.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from dashify.clients.model_wire import TIMEOUT, Watch, Wire
from dashify.later import Later

if TYPE_CHECKING:
    import ollama
else:
    ollama = Later("ollama")

LARGEST_ANSWER = 16 * 1024 * 1024
LARGEST_VECTORS = 64 * 1024 * 1024
LONGEST_LINE = 1024 * 1024
_CHECK_SECONDS = 3.0
_BYTES_A_TOKEN = 4
_LONGEST_REST = 60.0

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class ChatPiece:
    """A piece of an answer, and the tokens so far: of the prompt, and of the answer with what is not shown of it.

    The counts are estimates until the last piece, which has the host's own and may have no text.
    """

    text: str
    prompt_tokens: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Part:
    """What a host says at one time. `done`: nothing follows. The counts are None where the host does not tell them."""

    text: str
    done: bool = False
    prompt_tokens: int | None = None
    tokens: int | None = None


class Failure(StrEnum):
    """Why a host did not do it: full, not working, lacks the model, or does not accept what it was asked."""

    BUSY = "busy"
    AWAY = "away"
    UNFIT = "unfit"
    REFUSED = "refused"


class HostFailed(Exception):
    """A host did not do what it was asked. `reason` may be logged; `rest` is how many seconds it wants to be left."""

    def __init__(self, failure: Failure, reason: str, rest: float = 0.0) -> None:
        super().__init__(reason)
        self.failure = failure
        self.rest = min(max(rest, 0.0), _LONGEST_REST)


class Host(Protocol):
    """A host for chat. `name` (host:port) may be shown; `key` tells it from others in Redis; `slots` at once."""

    name: str
    key: str
    slots: int

    def models(self) -> frozenset[str]:
        """Ask which models it has, under the names that settings use, `:latest` written out; takes 3 s at most.

        Raises:
            HostFailed: it does not work.
        """

    def chat(self, model: str, messages: Messages, max_tokens: int, watch: Watch) -> Generator[Part]:
        """Let `model` answer, part by part.

        Raises:
            HostFailed: it cannot, or broke off.
            Stopped: `watch` said so.
        """


def full_name(model: str) -> str:
    """Write out the tag that Ollama adds to a model's name."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def host_name(address: SplitResult) -> str:
    """Give `host:port` of an address and nothing else of it."""
    host = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
    return f"{host}:{address.port or (443 if address.scheme == 'https' else 80)}"


def failed_with(status: int, reason: str = "", rest: float = 0.0) -> HostFailed:
    """Name what an HTTP status says about a host; `reason` must not hold a secret."""
    if status in (408, 429, 503):
        failure = Failure.BUSY
    elif status in (401, 403, 404):
        failure = Failure.UNFIT
    else:
        failure = Failure.REFUSED if status in (400, 413, 422) else Failure.AWAY
    return HostFailed(failure, f"status {status} {reason[:200]}".strip(), rest)


@contextmanager
def named_failures() -> Iterator[None]:
    """Turn whatever a client raises over a host's behavior into `HostFailed`."""
    try:
        yield
    except ollama.ResponseError as error:
        raise failed_with(error.status_code, str(error.error)) from error
    except httpx.TimeoutException as error:
        raise HostFailed(Failure.AWAY, "no answer in time") from error
    # What the parsers raise on answers that are not what the protocol says.
    except (httpx.HTTPError, httpx.InvalidURL, ConnectionError, ValueError, TypeError, AttributeError, KeyError,
            IndexError) as error:
        raise HostFailed(Failure.AWAY, type(error).__name__) from error


def pieces(parts: Iterator[Part], messages: Messages, max_tokens: int,
           touch: Callable[[], None]) -> Iterator[ChatPiece]:
    """Turn a host's parts into pieces with token counts; `touch` is called for each part that came.

    Raises:
        HostFailed: it ended without saying that it was done.
    """
    prompt = max(1, sum(len(one.get("content", "").encode()) for one in messages) // _BYTES_A_TOKEN)
    for tokens, part in enumerate(parts, start=1):
        touch()
        if part.done:
            yield ChatPiece(part.text, part.prompt_tokens or prompt, tokens if part.tokens is None else part.tokens)
            return
        if part.text:
            yield ChatPiece(part.text, prompt, tokens)
        if tokens > 2 * max_tokens + 64:
            raise HostFailed(Failure.AWAY, "it went on beyond the limit")
    raise HostFailed(Failure.AWAY, "it broke off")


class OllamaHost:
    """A host that speaks Ollama's protocol. `context` is how many tokens a chat may have."""

    def __init__(self, url: str, slots: int = 1, context: int = 8192) -> None:
        address = urlsplit(url)
        self.name, self.slots, self._context = host_name(address), slots, context
        path = address.path.rstrip("/")
        self.key = self.name + path
        self._url = f"{address.scheme}://{self.name}{path}"
        self._auth = (httpx.BasicAuth(unquote(address.username), unquote(address.password or ""))
                      if address.username else _without_key)

    def __repr__(self) -> str:
        return f"OllamaHost({self.name})"

    def models(self) -> frozenset[str]:
        """Ask which models it has; takes 3 s at most."""
        with named_failures(), self._client(Watch(_CHECK_SECONDS), LARGEST_ANSWER) as client:
            return frozenset(full_name(one.model) for one in client.list().models if one.model)

    def chat(self, model: str, messages: Messages, max_tokens: int, watch: Watch) -> Generator[Part]:
        """Let `model` answer, part by part."""
        with named_failures(), self._client(watch, LARGEST_ANSWER, LONGEST_LINE) as client:
            options = {"num_predict": max_tokens, "num_ctx": self._context}
            for one in client.chat(model, list(messages), stream=True, options=options):
                yield Part(one.message.content or "", bool(one.done), one.prompt_eval_count, one.eval_count)

    def embed(self, model: str, texts: Sequence[str], watch: Watch) -> tuple[list[list[float]], int]:
        """Embed `texts`; give a vector for each, all of one length, and how many tokens were read.

        Raises:
            HostFailed: it cannot, or what it gave is not that.
        """
        with named_failures(), self._client(watch, LARGEST_VECTORS) as client:
            answer = client.embed(model, list(texts))
            vectors = [list(one) for one in answer.embeddings]
            if len(vectors) != len(texts) or len({len(one) for one in vectors}) != 1 or not vectors[0]:
                raise HostFailed(Failure.AWAY, "its vectors do not fit the texts")
            if not all(isfinite(number) for one in vectors for number in one):
                raise HostFailed(Failure.AWAY, "its vectors are not numbers")
            return vectors, answer.prompt_eval_count or 0

    def _client(self, watch: Watch, most: int, longest_line: int | None = None) -> ollama.Client:
        return ollama.Client(
            self._url, timeout=TIMEOUT, follow_redirects=False, trust_env=False, auth=cast(Any, self._auth),
            transport=Wire(watch, most=most, longest_line=longest_line))


def _without_key(request: httpx.Request) -> httpx.Request:
    # The client takes a key of Ollama's own cloud from the environment, which is none of these hosts' business.
    request.headers.pop("Authorization", None)
    return request
