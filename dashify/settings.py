"""Every setting Dashify has, typed, and the only place that reads the environment.

A field `mongodb_url` is set by `DASHIFY_MONGODB_URL`; a limit `posts_per_second` by `DASHIFY_LIMIT_POSTS_PER_SECOND`.
A secret may come from a file: `DASHIFY_SECRET_KEY_FILE=/path` (then the variable itself must be absent).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from dashify.errors import SettingsError
from dashify.redis_url import parse_redis_url

PREFIX = "DASHIFY_"
LIMIT_PREFIX = "DASHIFY_LIMIT_"
QUEUE_PREFIX = "DASHIFY_QUEUE_"
_NESTED = ("limits", "queues")
_POSITIVE = ("model_host_slots", "model_queue", "model_first_token_seconds", "model_stall_seconds", "model_context",
             "openai_slots")
_REDIS_URLS = ("redis_url", "redis_pubsub_url", "redis_queues_url")
_HOST_LISTS = ("embedding_url", "model_hosts", "openai_url")
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one caller may ask for. All positive whole numbers; a load tool may raise them."""

    json_bytes: int = 1024 * 1024
    sign_in_per_minute: int = 5
    sign_in_address_per_minute: int = 50
    sign_in_email_per_quarter: int = 10
    sign_ups_per_hour: int = 1_000
    invitations_per_hour: int = 500
    requests_per_second: int = 2_000
    posts_per_second: int = 1_000
    events_per_second: int = 2_000
    sockets_per_user: int = 20
    sockets_per_address: int = 100
    reports_per_hour: int = 60
    upload_bytes: int = 25 * 1024 * 1024
    uploads_per_hour: int = 500
    searches_per_second: int = 20
    questions_per_minute: int = 20


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How one queue is worked. Durations in seconds, all positive.

    `greenlets`: its jobs wait for others most of the time and share one thread; else each has a native thread, which
    suits work that computes. A job may overrule its place in the queue by going to the front.
    """

    concurrency: int
    greenlets: bool
    time_limit: float
    most_failures: int
    first_pause: float
    longest_pause: float


QUEUES: Mapping[str, QueuePolicy] = {
    "emails": QueuePolicy(concurrency=20, greenlets=True, time_limit=60.0, most_failures=15, first_pause=2.0,
                          longest_pause=900.0),
    "reports": QueuePolicy(concurrency=1, greenlets=False, time_limit=1800.0, most_failures=8, first_pause=2.0,
                           longest_pause=300.0),
    "indexer": QueuePolicy(concurrency=1, greenlets=False, time_limit=600.0, most_failures=12, first_pause=2.0,
                           longest_pause=600.0),
    "notifications": QueuePolicy(concurrency=50, greenlets=True, time_limit=120.0, most_failures=15, first_pause=1.0,
                                 longest_pause=300.0),
    "audit": QueuePolicy(concurrency=50, greenlets=True, time_limit=120.0, most_failures=15, first_pause=1.0,
                         longest_pause=300.0),
    "assistant": QueuePolicy(concurrency=8, greenlets=True, time_limit=900.0, most_failures=4, first_pause=1.0,
                             longest_pause=5.0),
}
"""What each queue's worker does by default. `DASHIFY_QUEUE_EMAILS_CONCURRENCY` and its like overrule single fields."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration of one process. Durations are in seconds."""

    secret_key: str = field(repr=False)
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    redis_pubsub_url: str = field(default="", repr=False)
    redis_queues_url: str = field(default="", repr=False)
    mongodb_url: str = field(default="mongodb://127.0.0.1:27017/?directConnection=true", repr=False)
    mongodb_database: str = "dashify"
    qdrant_url: str = field(default="http://127.0.0.1:6333", repr=False)
    qdrant_api_key: str = field(default="", repr=False)
    qdrant_shards: int = 1
    qdrant_replicas: int = 1
    embedding_url: str = field(default="http://127.0.0.1:11434", repr=False)
    embedding_model: str = "all-minilm"
    embedding_floor: float = 0.25
    model_hosts: str = field(default="", repr=False)
    chat_models: str = ""
    model_host_slots: int = 1
    model_queue: int = 100
    model_first_token_seconds: float = 60.0
    model_stall_seconds: float = 30.0
    model_context: int = 8192
    openai_url: str = field(default="", repr=False)
    openai_key: str = field(default="", repr=False)
    openai_slots: int = 8
    mail_url: str = field(default="smtp://127.0.0.1:25", repr=False)
    mail_from: str = "Dashify <dashify@localhost>"
    public_url: str = ""
    public_instances: str = ""
    bind: str = "127.0.0.1:8000"
    instance: str = "api-1"
    metrics_port: int = 0
    trusted_proxies: str = ""
    assets_folder: str = ""
    time_zone: str = "UTC"
    log_level: str = "info"
    session_seconds: int = 8 * 3600
    session_absolute_seconds: int = 30 * 24 * 3600
    worker_connections: int = 10_000
    drain_accept_seconds: float = 3.0
    drain_sockets_seconds: float = 4.0
    drain_limit_seconds: float = 30.0
    worker_stop_seconds: float = 30.0
    limits: Limits = field(default_factory=Limits)
    queues: Mapping[str, QueuePolicy] = field(default_factory=lambda: dict(QUEUES))

    @property
    def secure(self) -> bool:
        """Tell whether people reach us over TLS, which decides the cookies' `Secure` and `__Host-` prefix."""
        return self.public_url.startswith("https://")

    def to_env(self) -> dict[str, str]:
        """Give the variables that make `from_env` return these settings, for a child process."""
        own = {PREFIX + f.name.upper(): str(getattr(self, f.name)) for f in fields(self) if f.name not in _NESTED}
        limits = {LIMIT_PREFIX + f.name.upper(): str(getattr(self.limits, f.name)) for f in fields(self.limits)}
        queues = {_queue_variable(queue, f.name): str(getattr(policy, f.name))
                  for queue, policy in self.queues.items() for f in fields(policy)}
        return own | limits | queues


def from_env(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (default: the process's).

    Raises:
        SettingsError: a value has the wrong type, a limit is not positive, or the secret is missing or short.
    """
    env = os.environ if environ is None else environ
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {
        "limits": Limits(**_read_limits(env)),
        "queues": {queue: _read_policy(env, queue, policy) for queue, policy in QUEUES.items()}}
    for spec in fields(Settings):
        raw = _raw(env, PREFIX + spec.name.upper()) if spec.name not in _NESTED else None
        if raw is not None:
            values[spec.name] = _typed(PREFIX + spec.name.upper(), raw, hints[spec.name])
    if len(values.get("secret_key", "")) < 32:
        raise SettingsError("DASHIFY_SECRET_KEY must be set to at least 32 random characters (or name a file that "
                            "holds them in DASHIFY_SECRET_KEY_FILE).")
    _check_redis(values)
    _check_models(values)
    return Settings(**values)


def split_list(text: str) -> list[str]:
    """Give the parts of a setting that is a list separated by commas, each once, without empty ones."""
    return list(dict.fromkeys(part for part in map(str.strip, text.split(",")) if part))


def chosen(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Give the raw value of the setting `name` where the environment sets it, else None.

    The local supervisor starts a server of its own only for what is not chosen.
    """
    return _raw(os.environ if environ is None else environ, PREFIX + name.upper())


def child_environment(overrides: Mapping[str, str]) -> dict[str, str]:
    """Give the whole environment for a child process: ours, with `overrides` on top."""
    return {**os.environ, **overrides}


def _check_redis(values: Mapping[str, Any]) -> None:
    for name in _REDIS_URLS:
        try:
            parse_redis_url(values.get(name) or "redis://unset")
        except ValueError as error:
            raise SettingsError(f"{PREFIX}{name.upper()} {error}.") from None


def _check_models(values: Mapping[str, Any]) -> None:
    for name in _POSITIVE:
        # Written so that "nan" is refused too.
        if not values.get(name, 1) > 0:
            raise SettingsError(f"{PREFIX}{name.upper()} must be positive.")
    for name in _HOST_LISTS:
        # The address itself is not repeated: it may hold a password.
        if not all(_is_address(url) for url in split_list(values.get(name, ""))):
            raise SettingsError(f"{PREFIX}{name.upper()} must be http:// or https:// addresses.")
    if len(split_list(values.get("openai_url", ""))) > 1:
        raise SettingsError(f"{PREFIX}OPENAI_URL must be one address.")
    if not values.get("openai_key", "").isascii() or not values.get("openai_key", "").isprintable():
        raise SettingsError(f"{PREFIX}OPENAI_KEY must be one line of ASCII text.")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _read_limits(env: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for spec in fields(Limits):
        name = LIMIT_PREFIX + spec.name.upper()
        raw = _raw(env, name)
        if raw is None:
            continue
        found[spec.name] = _typed(name, raw, int)
        if found[spec.name] <= 0:
            raise SettingsError(f"{name} must be a positive whole number, not {raw!r}.")
    return found


def _read_policy(env: Mapping[str, str], queue: str, usual: QueuePolicy) -> QueuePolicy:
    found: dict[str, Any] = {}
    for name, kind in get_type_hints(QueuePolicy).items():
        variable = _queue_variable(queue, name)
        raw = _raw(env, variable)
        if raw is None:
            continue
        found[name] = _typed(variable, raw, kind)
        if kind is not bool and not found[name] > 0:
            raise SettingsError(f"{variable} must be positive, not {raw!r}.")
    return replace(usual, **found)


def _queue_variable(queue: str, name: str) -> str:
    return f"{QUEUE_PREFIX}{queue.upper()}_{name.upper()}"


def _raw(env: Mapping[str, str], name: str) -> str | None:
    file = env.get(name + "_FILE")
    value = env.get(name) or None
    if file and value:
        raise SettingsError(f"Set either {name} or {name}_FILE, not both.")
    if not file:
        return value
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE names {file}, which cannot be read: {error.strerror}.") from error


def _typed(name: str, raw: str, kind: type) -> Any:
    if kind is bool:
        if raw.lower() not in _TRUTHS:
            raise SettingsError(f"{name} must be true or false, not {raw!r}.")
        return _TRUTHS[raw.lower()]
    try:
        return kind(raw)
    except ValueError as error:
        raise SettingsError(f"{name} must be a {kind.__name__}, not {raw!r}.") from error
