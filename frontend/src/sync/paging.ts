/** Long lists, newest first, of which the first part is read again from time to time. */

export interface Pages<T> {
  rows: T[];
  /** The cursor to what is older; null where there is nothing. */
  next: string | null;
}

/** The server gives no more at once. */
export const LARGEST_PAGE = 200;

/** How many rows to ask for, so that what is shown is read again in one answer. */
export function pageSize(shown: number, usual: number): number {
  return Math.min(LARGEST_PAGE, Math.max(usual, shown));
}

/** Put the first part of a list, read anew, over what was loaded. What does not join on without a gap is dropped. */
export function overlay<T extends { id: string }>(fresh: Pages<T>, known: Pages<T>): Pages<T> {
  const last = fresh.rows.at(-1);
  const at = last && fresh.next !== null ? known.rows.findIndex((row) => row.id === last.id) : -1;
  const rest = at < 0 ? [] : known.rows.slice(at + 1);
  return rest.length === 0 ? fresh : { rows: [...fresh.rows, ...rest], next: known.next };
}

/** Put an older part behind what was loaded; a row that is in both stays where it was. */
export function extend<T extends { id: string }>(known: Pages<T>, older: Pages<T>): Pages<T> {
  const ids = new Set(known.rows.map((row) => row.id));
  return { rows: [...known.rows, ...older.rows.filter((row) => !ids.has(row.id))], next: older.next };
}
