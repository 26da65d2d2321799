/** Every call about documents, folders and search, typed. */
import { request } from "./http";
import { all, id, query } from "./paths";

export type Visibility = "private" | "group" | "organization";
export type DocumentStatus = "queued" | "indexing" | "ready" | "failed";

export interface ListedDocument {
  id: string;
  title: string;
  /** 0 until an uploaded file has been read. */
  version: number;
  visibility: Visibility;
  channel_id: string | null;
  folder_id: string | null;
  status: DocumentStatus;
  error: { code: string; message: string } | null;
  author_id: string;
  updated_by: string;
  created_at: string;
  updated_at: string;
  source: { name: string; content_type: string; bytes: number } | null;
}

export interface Draft {
  title: string;
  text: string;
  base_version: number;
  saved_at: string;
}

export interface WholeDocument extends ListedDocument {
  text: string;
  /** I may change the text. */
  editable: boolean;
  /** I may delete it, or change who reads it. Absent where the server does not tell. */
  manageable?: boolean;
  draft: Draft | null;
}

export interface Version {
  version: number;
  title: string;
  author_id: string;
  created_at: string;
  characters?: number;
}

export interface WholeVersion extends Version {
  text: string;
}

export interface Links {
  documents: { id: string; title: string }[];
  messages: {
    id: string;
    channel_id: string;
    channel_name: string;
    seq?: number;
    author_id: string;
    text: string;
    created_at: string;
  }[];
}

export interface Folder {
  id: string;
  name: string;
  parent_id: string | null;
}

export interface Placing {
  visibility: Visibility;
  channel_id: string | null;
  folder_id: string | null;
}

export interface Change extends Partial<Placing> {
  title?: string;
  text?: string;
  version?: number;
}

export type FoundKind = "document" | "message";

export interface Found {
  kind: FoundKind;
  id: string;
  title: string;
  snippet: string;
  /** Ranges of the snippet's code points. */
  marks: [number, number][];
  channel_id: string | null;
  seq: number | null;
  version: number | null;
  start: number | null;
  end: number | null;
  author_id: string | null;
  at: string | null;
}

export interface DocumentFilter {
  folder_id: string | null;
  query: string;
  mine: boolean;
}

/** Texts of documents may be long. */
const TEXT_TIMEOUT_MS = 60_000;

/** Leave out what is null: the server takes absence for it. */
function given(placing: Placing): Partial<Placing> {
  return Object.fromEntries(Object.entries(placing).filter(([, value]) => value !== null));
}

export const documents = {
  page: (filter: DocumentFilter, cursor: string | null, limit: number) =>
    request<{ documents: ListedDocument[]; next: string | null }>(
      "GET",
      `/documents${query({ ...filter, mine: filter.mine || null, cursor, limit })}`,
    ),
  get: (document: string, signal?: AbortSignal) =>
    request<{ document: WholeDocument }>("GET", `/documents/${id(document)}`, { signal, timeoutMs: TEXT_TIMEOUT_MS }),
  create: (title: string, text: string, placing: Placing) =>
    request<{ document: WholeDocument }>("POST", "/documents", { body: { title, text, ...given(placing) } }),
  change: (document: string, body: Change) =>
    request<{ document: WholeDocument }>("PUT", `/documents/${id(document)}`, { body, timeoutMs: TEXT_TIMEOUT_MS }),
  remove: (document: string) => request<undefined>("DELETE", `/documents/${id(document)}`),
  saveDraft: (document: string, draft: Omit<Draft, "saved_at">) =>
    request<{ draft: Draft }>("PUT", `/documents/${id(document)}/draft`, { body: draft, timeoutMs: TEXT_TIMEOUT_MS }),
  discardDraft: (document: string) => request<undefined>("DELETE", `/documents/${id(document)}/draft`),
  versions: (document: string, cursor: string | null, limit: number) =>
    request<{ versions: Version[]; next: string | null }>(
      "GET",
      `/documents/${id(document)}/versions${query({ cursor, limit })}`,
    ),
  version: (document: string, version: number, signal?: AbortSignal) =>
    request<{ version: WholeVersion }>("GET", `/documents/${id(document)}/versions/${version}`, {
      signal,
      timeoutMs: TEXT_TIMEOUT_MS,
    }),
  restore: (document: string, version: number) =>
    request<{ document: WholeDocument }>("POST", `/documents/${id(document)}/versions/${version}/restore`, { body: {} }),
  links: (document: string) => request<Links>("GET", `/documents/${id(document)}/links`),
  /** Where the file is that a document was uploaded as. */
  fileUrl: (document: string) => `/api/v1/documents/${id(document)}/file`,
};

export const folders = {
  list: () => all<Folder>("/folders", "folders"),
  create: (name: string, parent: string | null) =>
    request<{ folder: Folder }>("POST", "/folders", { body: { name, ...(parent === null ? {} : { parent_id: parent }) } }),
  change: (folder: string, body: { name?: string; parent_id?: string | null }) =>
    request<{ folder: Folder }>("PATCH", `/folders/${id(folder)}`, { body }),
  remove: (folder: string) => request<undefined>("DELETE", `/folders/${id(folder)}`),
};

export const search = {
  find: (q: string, kind: FoundKind | null, cursor: string | null, limit: number, signal?: AbortSignal) =>
    request<{ results: Found[]; next: string | null }>("GET", `/search${query({ q, kind, cursor, limit })}`, {
      signal,
      retries: 1,
    }),
};
