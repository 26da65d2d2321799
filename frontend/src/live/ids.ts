/** Ids that this browser gives. */

/**
 * 128 random bits in hex, for a message's `client_id`. Not `crypto.randomUUID`, which browsers offer to pages over
 * HTTPS and on localhost only: a workspace at a plain `http://` address of the office has to work too.
 */
export function newClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
