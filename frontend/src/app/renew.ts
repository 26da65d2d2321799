/** A part of the page that is gone from the server belongs to a release that is gone: the page loads anew, once. */

const KEY = "dashify:renewed";
/** A second failure so soon has another reason than a new release. */
const REST_MS = 60_000;

export function renew(event: Event): void {
  const last = Number(sessionStorage.getItem(KEY) ?? 0);
  if (Date.now() - last < REST_MS) return;
  event.preventDefault();
  sessionStorage.setItem(KEY, String(Date.now()));
  window.location.reload();
}
