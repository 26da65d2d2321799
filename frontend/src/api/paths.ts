/** The parts that paths of the API are made of. */
import { request } from "./http";

interface Paged {
  next?: string | null;
}

export const id = encodeURIComponent;

/** Write the parts of a query that are there. */
export function query(parts: Record<string, string | number | boolean | null | undefined>): string {
  const given = Object.entries(parts).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length === 0 ? "" : `?${given.map(([name, value]) => `${name}=${id(String(value))}`).join("&")}`;
}

/** Read a paged list to its end; the server bounds each page. */
export async function all<T>(path: string, key: string): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Paged & Record<string, T[]> = await request("GET", path + query({ limit: 200, cursor }));
    rows.push(...((page[key] as T[] | undefined) ?? []));
    cursor = page.next ?? null;
  } while (cursor);
  return rows;
}
