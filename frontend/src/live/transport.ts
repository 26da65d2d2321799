/** How a message and a sync travel: by socket while there is one, by HTTP otherwise. */
import * as api from "../api/api";
import { ApiError } from "../api/errors";
import type { Message, SyncAnswer, SyncRequest } from "../api/types";
import type { Outgoing } from "../sync/outbox";
import { AckError, type Connection } from "./socket";

export function syncBySocket(connection: Connection, request: SyncRequest): Promise<SyncAnswer> {
  return connection.ask<SyncAnswer>("sync", request);
}

/** Refusals that HTTP would only repeat. */
const FINAL = new Set(["invalid", "not_found", "forbidden", "conflict", "client_id_reused", "not_allowed"]);

/** Send one message; the same client_id makes both ways, tried one after the other, one message. Raises ApiError. */
export async function deliver(connection: Connection, item: Outgoing): Promise<Message> {
  const body = {
    text: item.text,
    client_id: item.client_id,
    ...(item.thread_id === null ? {} : { thread_id: item.thread_id }),
  };
  if (connection.connected) {
    try {
      const payload = { channel_id: item.channel_id, ...body };
      return (await connection.ask<{ message: Message }>("message:send", payload)).message;
    } catch (error) {
      if (error instanceof AckError && FINAL.has(error.code)) {
        throw new ApiError(400, { code: error.code, message: error.message });
      }
    }
  }
  return (await api.messages.post(item.channel_id, body)).message;
}
