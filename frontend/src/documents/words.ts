/** Documents as one talks of them. */
import type { DocumentStatus, Folder, ListedDocument, Visibility } from "../api/knowledge";
import type { EditState } from "./autosave";

export const STATUS_WORDS: Record<DocumentStatus, string> = {
  queued: "Waiting to be indexed",
  indexing: "Being indexed",
  ready: "Ready",
  failed: "Failed",
};

/** Say where a document stands, in full. */
export function statusWords(document: Pick<ListedDocument, "status" | "error" | "version">): string {
  if (document.status === "failed") return document.error?.message ?? "This document could not be read.";
  if (document.status === "ready") return "Search and the assistant find what it says.";
  if (document.version === 0) return "The file is being read.";
  return "Search and the assistant will find it in a moment.";
}

export const VISIBILITY_WORDS: Record<Visibility, string> = {
  private: "Only me",
  group: "A channel",
  organization: "Everybody",
};

/** Say who can read a document. `channel` is the name of its channel, null where I do not see that. */
export function readersWords(document: Pick<ListedDocument, "visibility">, channel: { name: string; private: boolean } | null, mine: boolean): string {
  if (document.visibility === "private") return mine ? "Only you can read this." : "Only its author can read this.";
  if (document.visibility === "organization") return "Everybody in the organization but guests can read this.";
  if (!channel) return "The people of a channel can read this.";
  return channel.private
    ? `The people in ${channel.name} can read this.`
    : `The people in #${channel.name} can read this, and everybody who can join it.`;
}

export function readersBadge(document: Pick<ListedDocument, "visibility">, channel: { name: string; private: boolean } | null): string {
  if (document.visibility !== "group") return VISIBILITY_WORDS[document.visibility];
  return channel ? `${channel.private ? "" : "#"}${channel.name}` : "A channel";
}

/** Say how the saving goes; `time` writes a time of day. */
export function savingWords(state: EditState, changed: boolean, time: (at: string) => string): string {
  switch (state.phase) {
    case "conflict":
      return "Somebody saved another version meanwhile.";
    case "saving":
      return "Saving…";
    case "failing":
      return "The draft is not kept yet. Trying again…";
    case "waiting":
    case "drafting":
      return "Keeping a draft…";
    case "clean":
      return changed && state.drafted ? `Saved as a draft ${time(state.drafted)}` : `Version ${state.base} is saved`;
  }
}

const UNITS: [string, number][] = [["GB", 1024 ** 3], ["MB", 1024 ** 2], ["KB", 1024]];

export function sizeWords(bytes: number): string {
  const [unit, size] = UNITS.find(([, least]) => bytes >= least) ?? ["B", 1];
  const number = bytes / size;
  return `${number >= 10 || size === 1 ? Math.round(number) : number.toFixed(1)} ${unit}`;
}

/** The folders from the top down to one; empty for none, and for one that is gone. */
export function pathTo(folders: readonly Folder[], id: string | null): Folder[] {
  const known = new Map(folders.map((folder) => [folder.id, folder]));
  const path: Folder[] = [];
  for (let next = id; next !== null && path.length < 50; ) {
    const folder = known.get(next);
    if (!folder || path.includes(folder)) break;
    path.unshift(folder);
    next = folder.parent_id;
  }
  return path;
}

export interface FolderChoice {
  value: string;
  label: string;
}

/** Every folder by its path, for a list to choose from; without one and what is in it, where it is not to be chosen. */
export function folderChoices(folders: readonly Folder[], without: string | null = null): FolderChoice[] {
  return folders
    .map((folder) => ({ folder, path: pathTo(folders, folder.id) }))
    .filter(({ path }) => !path.some((one) => one.id === without))
    .map(({ folder, path }) => ({ value: folder.id, label: path.map((one) => one.name).join(" / ") }))
    .sort((a, b) => a.label.localeCompare(b.label, undefined, { sensitivity: "base" }));
}

/** The page that shows a passage of a document. */
export function passagePath(id: string, version: number | null, start: number | null, end: number | null): string {
  const path = `/documents/${encodeURIComponent(id)}`;
  if (version === null || start === null || end === null) return path;
  return `${path}?version=${version}&start=${start}&end=${end}`;
}

export interface Passage {
  version: number | null;
  start: number | null;
  end: number | null;
}

/** Read what a document's path asks to be shown. */
export function passageIn(search: string): Passage {
  const given = new URLSearchParams(search);
  const number = (name: string) => {
    const value = given.get(name) ?? "";
    return /^\d{1,9}$/.test(value) ? Number(value) : null;
  };
  return { version: number("version"), start: number("start"), end: number("end") };
}
