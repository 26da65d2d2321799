/** Where unsent messages and drafts of one person outlive the page. A full or forbidden storage only costs that. */
import type { OutboxPorts } from "../sync/outbox";

export function shelfFor(userId: string): OutboxPorts["shelf"] {
  const prefix = `dashify:outbox:${userId}:`;
  return {
    all: () => keys().filter((key) => key.startsWith(prefix)).map((key) => read(key) ?? ""),
    put: (clientId, content) => write(prefix + clientId, content),
    remove: (clientId) => write(prefix + clientId, ""),
  };
}

export function readDraft(userId: string, place: string): string {
  return read(`dashify:draft:${userId}:${place}`) ?? "";
}

export function writeDraft(userId: string, place: string, text: string): void {
  write(`dashify:draft:${userId}:${place}`, text);
}

export function readLastChannel(userId: string): string | null {
  return read(`dashify:last:${userId}`);
}

export function writeLastChannel(userId: string, channelId: string): void {
  write(`dashify:last:${userId}`, channelId);
}

function keys(): string[] {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, content: string): void {
  try {
    if (content) localStorage.setItem(key, content);
    else localStorage.removeItem(key);
  } catch {
    // Private windows and full disks refuse: the text still lives in this page.
  }
}
