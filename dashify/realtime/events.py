"""What clients may send: parse, one service call, ack. Every event that asks for an ack gets one."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Annotated, Any

import gevent
from pydantic import Field, ValidationError

from dashify import logs, metrics
from dashify.context import Context
from dashify.domain.inputs import ClientId, Identifier, Input, MessageText, Number
from dashify.domain.names import new_id
from dashify.errors import DashifyError, Invalid, RateLimited, Unavailable
from dashify.realtime.hub import Hub
from dashify.realtime.registry import Connection
from dashify.services import chat
from dashify.services.sessions import authenticate_key

log = logging.getLogger(__name__)

ACK_SECONDS = 4.8
# An event of the default namespace: type 2, an optional ack number, a JSON array.
_FRAME = re.compile(r"2(?:/,)?(?P<ack>\d{1,9})?(?P<body>\[.*)", re.DOTALL)
Ack = dict[str, Any]


class Sync(Input):
    """Catch up from the change number held of each channel."""

    cursors: Annotated[dict[Identifier, Number], Field(max_length=5_000)]
    epoch: Identifier | None = None


class Send(Input):
    """Post a message."""

    channel_id: Identifier
    text: MessageText
    client_id: ClientId
    thread_id: Identifier | None = None


class Read(Input):
    """Move the read mark."""

    channel_id: Identifier
    seq: Number


class Typing(Input):
    """Somebody is writing."""

    channel_id: Identifier


def _sync(ctx: Context, event: Sync) -> Ack:
    return chat.sync(ctx, event.cursors, event.epoch)


def _send(ctx: Context, event: Send) -> Ack:
    message, _ = chat.post_message(ctx, event.channel_id, event.text, event.client_id, event.thread_id)
    return {"message": message}


def _read(ctx: Context, event: Read) -> Ack:
    chat.mark_read(ctx, event.channel_id, event.seq)
    return {}


def _typing(ctx: Context, event: Typing) -> Ack:
    chat.show_typing(ctx, event.channel_id)
    return {}


EVENTS: dict[str, tuple[type[Input], Callable[[Context, Any], Ack]]] = {
    "sync": (Sync, _sync),
    "message:send": (Send, _send),
    "channel:read": (Read, _read),
    "typing": (Typing, _typing),
}


def receive(hub: Hub, connection: Connection, frame: str) -> None:
    """Handle one event frame of a signed-in socket, in the order in which the client sent it.

    A frame that is no event and asks for no ack is ignored.
    """
    match = _FRAME.fullmatch(frame)
    if match is None:
        return
    with logs.scope(request_id=new_id(), user_id=connection.actor.user_id, tenant_id=connection.actor.tenant_id):
        name, answer = _answer(hub, connection, match["body"])
        metrics.socket_events.labels(name, "ok" if answer["ok"] else answer["error"]["code"]).inc()
    if match["ack"]:
        body = json.dumps([answer], ensure_ascii=False, separators=(",", ":"))
        hub.server.eio.send(connection.eio_sid, f"3{match['ack']}{body}")


def _answer(hub: Hub, connection: Connection, body: str) -> tuple[str, Ack]:
    name = "unknown"
    try:
        with gevent.Timeout(ACK_SECONDS, _too_slow()):
            event, payload = _parse(body)
            name = event if event in EVENTS else "unknown"
            if not connection.bucket.take():
                raise RateLimited("That was too fast. Please wait a second.", retry_after=1)
            return name, {"ok": True, **_handle(hub, connection, event, payload)}
    except DashifyError as error:
        return name, {"ok": False, "error": _shape(error)}
    except Exception:  # a bug of ours is answered like everything else, and logged
        log.exception("An event could not be handled")
        return name, {"ok": False, "error": _shape(DashifyError("Something went wrong on our side.", code="internal"))}


def _handle(hub: Hub, connection: Connection, name: str, payload: Any) -> Ack:
    if name not in EVENTS:
        raise DashifyError("There is no such event.", code="unknown_event")
    model, serve = EVENTS[name]
    actor = authenticate_key(hub.platform, connection.key_hash).actor
    try:
        event = model.model_validate(payload)
    except ValidationError as error:
        raise Invalid("The event is not right.", details=_problems(error)) from error
    return serve(hub.platform.context(actor), event)


def _parse(body: str) -> tuple[str, Any]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The event is not valid JSON.") from error
    if not parsed or not isinstance(parsed[0], str) or len(parsed) > 2:
        raise Invalid("An event is a name and one object.")
    return parsed[0], parsed[1] if len(parsed) == 2 else {}


def _problems(error: ValidationError) -> list[dict[str, str]]:
    return [{"field": ".".join(str(part) for part in one["loc"])[:200], "problem": one["msg"]}
            for one in error.errors(include_url=False, include_input=False, include_context=False)[:50]]


def _shape(error: DashifyError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "details": error.details,
            "request_id": logs.current("request_id")}


def _too_slow() -> Unavailable:
    return Unavailable("This takes too long at the moment. Please try again.")
