/** Tells the server the browser's time zone as one enters, so that a morning is one's own from the first day. */
import { ApiError } from "../api/errors";
import { browserZone } from "../people/zones";

/**
 * Send a body with the browser's zone; once more without it where the server does not take that, since a zone that it
 * does not know, or a release that asks for none, is no reason to keep somebody out.
 */
export async function withZone<B, T>(body: B, send: (body: B | (B & { time_zone: string })) => Promise<T>): Promise<T> {
  try {
    return await send({ ...body, time_zone: browserZone() });
  } catch (error) {
    const refused = error instanceof ApiError && error.details.some((item) => item.field === "time_zone");
    if (!refused) throw error;
    return send(body);
  }
}
